"""The parts of a model: likelihoods, posteriors, priors and networks, and draws from them."""
