"""The model of a specification: a built-in one, or one that a user wrote."""

from elboflow.vae.data import ImageShape
from elboflow.vae.model.model import Model
from elboflow.vae.model.networks import VAE
from elboflow.vae.model.own.exact_model import ExactModel
from elboflow.vae.model.own.module import build, is_exact
from elboflow.vae.model.own.own_model import OwnModel
from elboflow.vae.spec import TrainingSpec


def make_model(spec: TrainingSpec, shape: ImageShape) -> Model:
    """For images of that shape; `initialise` or `load_state_dict` sets its parameters.

    Raises:
        OwnModelError: what is wrong with a user's model file.
    """
    if spec.model is None:
        return VAE(spec, shape)
    own = build(spec, seed=0)
    return ExactModel(spec, shape, own) if is_exact(own) else OwnModel(spec, shape, own)
