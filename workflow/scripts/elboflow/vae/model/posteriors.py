"""The posterior of a specification, from the modules whose classes register themselves."""

from elboflow.vae.model import categorical, flow  # noqa: F401
from elboflow.vae.model.gaussian_heads import GaussianHead
from elboflow.vae.model.posterior import Head, posteriors
from elboflow.vae.model.two_layers import Conditional, TwoLayerHead
from elboflow.vae.spec import TrainingSpec


def make_posterior_head(spec: TrainingSpec, features: int) -> Head:
    """Maps an encoder's features, shape (B, features), to the posterior of the specification."""
    if not spec.second_latent_dim:
        return posteriors[spec.posterior].of(spec, features)
    first_dim, second_dim = spec.latent_dim, spec.second_latent_dim
    second = Conditional(first_dim, spec.second_layers, second_dim, spec.activation)
    return TwoLayerHead(GaussianHead(features, first_dim), second, first_dim + second_dim)
