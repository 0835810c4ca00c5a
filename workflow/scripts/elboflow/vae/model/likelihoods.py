"""The likelihood of a specification, from the modules whose classes register themselves."""

from elboflow.vae.data import ImageShape
from elboflow.vae.model import (  # noqa: F401
    binary_likelihoods,
    level_likelihoods,
    unit_likelihoods,
)
from elboflow.vae.model.likelihood import Likelihood, likelihoods
from elboflow.vae.spec import TrainingSpec


def make_likelihood(spec: TrainingSpec, shape: ImageShape) -> Likelihood:
    """The likelihood that the specification names, of images of that shape."""
    return likelihoods[spec.likelihood].of(spec, shape)
