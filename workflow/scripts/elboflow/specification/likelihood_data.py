"""What each likelihood is a density of; log-likelihoods of different data cannot be compared."""

# As `observes` of the classes in the package vae, which the controller cannot import.
OBSERVES = {
    "bernoulli": "binary",
    "continuous_bernoulli": "unit",
    "gaussian": "unit",
    "discretised_logistic": "levels",
    "categorical": "levels",
}
# For readers.
WORDS = {
    "binary": "binary images",
    "unit": "densities of grey levels in [0, 1]",
    "levels": "probabilities of grey levels",
}
