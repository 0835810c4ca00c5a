"""The likelihoods p(x | z) by their names in the specification."""

from collections.abc import Callable

from elboflow.vae.data import ImageShape
from elboflow.vae.model.densities import Bernoulli, ContinuousBernoulli, Gaussian, Likelihood
from elboflow.vae.model.level_likelihoods import Categorical, DiscretisedLogistic
from elboflow.vae.spec import SpecError, TrainingSpec

LIKELIHOODS: dict[str, Callable[[TrainingSpec, ImageShape], Likelihood]] = {
    "bernoulli": lambda spec, shape: Bernoulli(),
    "continuous_bernoulli": lambda spec, shape: ContinuousBernoulli(),
    "gaussian": lambda spec, shape: Gaussian(spec.likelihood_scale, spec.scale_floor),
    "discretised_logistic": lambda spec, shape: DiscretisedLogistic(
        shape.levels, spec.likelihood_scale
    ),
    "categorical": lambda spec, shape: Categorical(shape.levels),
}


def make_likelihood(spec: TrainingSpec, shape: ImageShape) -> Likelihood:
    """The likelihood that the specification names, of images of that shape."""
    name = spec.likelihood
    if name not in LIKELIHOODS:
        raise SpecError(f"likelihood: {name!r} is unknown, choose from {', '.join(LIKELIHOODS)}")
    return LIKELIHOODS[name](spec, shape)
