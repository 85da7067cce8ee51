"""BY WHEN, and is it done: reports, jurisdiction, and the history of each issue."""
