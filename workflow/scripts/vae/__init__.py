"""Variational autoencoders as in the papers: torch and numpy only, nothing of clusters.

Legend for shapes: K = samples of z, B = images, D = pixels, L = latent dimensions. Every
log-density is in nats per image, summed over pixels or latent dimensions, never averaged.
"""
