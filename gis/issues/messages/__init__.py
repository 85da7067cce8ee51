"""Messages: what is told to whom, by which way out, once."""
