"""Whole files, digests, and the code that a result comes from. The standard library alone."""
