"""WHO works here: departments, accounts, and the areas somebody answers for."""
