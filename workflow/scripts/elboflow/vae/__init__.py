"""Variational autoencoders as in the papers: torch and numpy only, nothing of clusters."""
