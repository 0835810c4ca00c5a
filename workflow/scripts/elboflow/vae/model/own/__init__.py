"""Models that users write: their torch.distributions, as training and measuring know them."""
