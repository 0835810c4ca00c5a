"""Models that make no sense are refused in one line, all others pass."""

from itertools import product
from typing import Any

import pytest

from elboflow.specification.check import ConfigError, check

DISCRETE = {"posterior": "categorical", "prior": "uniform"}
SCORE = {**DISCRETE, "gradient": "score_function", "training_samples": 2}
GUMBEL = {**DISCRETE, "gradient": "gumbel_softmax"}
TWO = {"second_latent_dim": 5, "kl": "sampled"}


def config(**run: Any) -> dict[str, Any]:
    digits = {"source": "digits", "validation_images": 200, "test_images": 397}
    return {"datasets": {"digits": digits}, "runs": {"one": run}}


@pytest.mark.parametrize(
    ("run", "message"),
    [
        ({"posterior": "flow", "kl": "sampled", "latent_dim": 1}, "posterior: flow is gaussian in"),
        ({"posterior": "full_covariance", "latent_dim": 1}, "posterior: full_covariance is gauss"),
        ({"posterior": "flow"}, "kl: the KL from posterior flow to prior standard_normal has no"),
        ({"prior": "mixture"}, "kl: the KL from posterior gaussian to prior mixture has no"),
        ({"prior": "vamp", "posterior": "flow", "kl": "sampled"}, "prior: vamp needs a Gaussian"),
        (
            {"posterior": "flow", "kl": "sampled", "gradient": "sticking_the_landing"},
            "gradient: sticking_the_landing needs a Gaussian posterior",
        ),
        ({"gradient": "sticking_the_landing"}, "needs objective elbo with kl sampled"),
        (
            {"gradient": "sticking_the_landing", "objective": "importance_weighted"},
            "needs objective elbo with kl sampled",
        ),
        ({"gradient": "doubly_reparametrised"}, "needs objective importance_weighted"),
        ({"posterior": "categorical"}, "prior: uniform goes with posterior categorical, and no"),
        ({"prior": "uniform"}, "prior: uniform goes with posterior categorical, and no other"),
        ({**DISCRETE, "latent_dim": 1}, "latent_dim: a categorical z needs 2 values or more"),
        ({**DISCRETE, "kl": "sampled"}, "kl: that of posterior categorical is an exact sum; say a"),
        ({**DISCRETE, "objective": "importance_weighted"}, "categorical is an exact sum; say elbo"),
        ({**DISCRETE, "training_samples": 2}, "training_samples: gradient pathwise of posterior"),
        ({**DISCRETE, "gradient": "sticking_the_landing"}, "needs a continuous z; say pathwise"),
        ({**SCORE, "training_samples": 1}, "training_samples: score_function needs 2 or more"),
        ({**SCORE, "kl": "sampled"}, "kl: that of posterior categorical is an exact sum; say a"),
        ({**GUMBEL, "objective": "importance_weighted"}, "categorical is an exact sum; say elbo"),
        ({"gradient": "gumbel_softmax"}, "gumbel_softmax needs posterior categorical; say path"),
        (
            {"gradient": "score_function", "posterior": "flow", "kl": "sampled"},
            "score_function needs posterior categorical; say pathwise",
        ),
        (
            {**TWO, "gradient": "gumbel_softmax"},
            "gumbel_softmax needs posterior categorical; say pathwise",
        ),
        ({**DISCRETE, "free_bits": 0.1}, "free_bits: needs objective elbo"),
        ({**DISCRETE, "ais_images": 5}, "ais_images: AIS needs a continuous z; say 0"),
        ({"likelihood_scale": 0.1}, "likelihood_scale: bernoulli has no scale; say null, or use"),
        (
            {"likelihood": "gaussian", "likelihood_scale": 0.0001},
            "likelihood_scale: 0.0001 is below scale_floor 0.001; lower the floor",
        ),
        ({**TWO, "prior": "mixture"}, "second_latent_dim: needs posterior gaussian and prior"),
        ({**TWO, "posterior": "full_covariance"}, "second_latent_dim: needs posterior gaussian"),
        ({**TWO, "kl": "analytic"}, "kl: two stochastic layers have no analytic KL; say sampled"),
        ({**TWO, "gradient": "sticking_the_landing"}, "needs one stochastic layer; say pathwise"),
        ({**TWO, "free_bits": 0.1}, "free_bits: needs objective elbo"),
        ({"free_bits": 0.1, "posterior": "full_covariance"}, "free_bits: needs objective elbo"),
        ({"free_bits": 0.1, "kl": "sampled"}, "free_bits: needs objective elbo"),
        ({"free_bits": 0.1, "objective": "importance_weighted"}, "free_bits: needs objective elbo"),
    ],
)
def test_what_makes_no_sense_is_refused(run: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=r"^config: runs\.one\.") as refused:
        check(config(**run))
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "run",
    [
        DISCRETE,
        {**SCORE, "beta": 2, "warmup_epochs": 5},
        GUMBEL,
        {**GUMBEL, "training_samples": 3, "gumbel_temperature": 0.1},
        TWO,
        {"second_latent_dim": 5, "objective": "importance_weighted", "training_samples": 5},
        {"posterior": "full_covariance"},
        {"free_bits": 0.5},
        {"likelihood": "gaussian", "likelihood_scale": 0.1},
        {"likelihood": "discretised_logistic", "likelihood_scale": 0.0001},
        {"kl": "sampled", "gradient": "sticking_the_landing", "posterior": "full_covariance"},
        {"objective": "importance_weighted", "gradient": "doubly_reparametrised", "prior": "vamp"},
        *(
            {"posterior": posterior, "prior": prior, "kl": "sampled"}
            for posterior, prior in product(
                ("gaussian", "full_covariance"), ("standard_normal", "mixture", "vamp")
            )
        ),
        {"posterior": "flow", "prior": "mixture", "kl": "sampled"},
    ],
)
def test_all_else_passes(run: dict[str, Any]) -> None:
    check(config(**run))
