"""The chapter "What the ELBO is"."""
