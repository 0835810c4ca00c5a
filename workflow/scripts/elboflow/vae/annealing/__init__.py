"""Bounds on log p(x) by annealed importance sampling, and what they tell of the encoder."""
