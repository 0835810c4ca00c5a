"""The parameters that are counted before anything starts are those that a model has."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import pytest

from elboflow.specification.model_size import Shape, parameters
from elboflow.vae.choices import LIKELIHOODS, POSTERIORS, PRIORS
from elboflow.vae.data import ImageShape
from elboflow.vae.model.networks import VAE

FLOW = {"posterior": "flow", "kl": "sampled"}
TWO = {"second_latent_dim": 5, "kl": "sampled"}


@pytest.mark.parametrize("shape", [(3, 4, 1, 16), (9, 5, 3, 255)])
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"encoder_layers": [], "decoder_layers": []},
        {"encoder_layers": [7, 5], "decoder_layers": [6, 9, 4], "latent_dim": 3},
        {"posterior": "full_covariance", "latent_dim": 4},
        {"posterior": "full_covariance", "encoder_layers": []},
        {**FLOW, "latent_dim": 3, "flow_transforms": 3, "flow_hidden": [6, 7]},
        {**FLOW, "flow_hidden": []},
        {**TWO, "second_layers": [7, 3]},
        {**TWO, "second_layers": [], "latent_dim": 4},
        {"prior": "vamp", "kl": "sampled", "prior_components": 7},
        {"likelihood": "gaussian", "likelihood_scale": 0.5},
        *({"likelihood": name} for name in LIKELIHOODS),
        *(
            {"posterior": posterior, "prior": prior, "kl": "sampled"}
            for posterior, one in POSTERIORS.items()
            for prior, other in PRIORS.items()
            if one.discrete == other.discrete and (one.weighs_any_z or not other.of_posteriors)
        ),
        {"channels": [4]},
        {"channels": [4, 6, 5], "encoder_layers": [], "decoder_layers": []},
        {"channels": [3, 2], "likelihood": "categorical"},
    ],
    ids=str,
)
def test_the_count_is_the_models(
    toy: Any, shape: tuple[int, int, int, int], changes: Mapping[str, Any]
) -> None:
    made = toy["spec"](**changes)
    vae = VAE(made, ImageShape(*shape))
    counted = parameters(asdict(made), Shape(*shape))
    assert counted == sum(parameter.numel() for parameter in vae.parameters())
