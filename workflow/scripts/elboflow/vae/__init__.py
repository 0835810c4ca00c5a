"""Variational autoencoders as in the papers, in torch, numpy and zuko; nothing of clusters."""
