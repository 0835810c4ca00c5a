"""The two pages."""
