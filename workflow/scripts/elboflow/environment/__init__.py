"""The environment that trains, and what it sees of the user's. The standard library alone."""
