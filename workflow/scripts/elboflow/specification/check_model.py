"""Which likelihoods, posteriors, priors, objectives and gradients make sense together."""

from collections.abc import Iterator
from typing import Any

SCALED = ("gaussian", "discretised_logistic")
DISCRETE_GRADIENTS = ("score_function", "gumbel_softmax")


def complaint_about(values: dict[str, Any]) -> str | None:
    """The first thing that is wrong with a resolved run's model, as `key: what to do`."""
    return next((complaint for wrong, complaint in _rules(values) if wrong), None)


def _rules(values: dict[str, Any]) -> Iterator[tuple[bool, str]]:
    posterior, prior, latent_dim = values["posterior"], values["prior"], values["latent_dim"]
    gradient, weighted = values["gradient"], values["objective"] == "importance_weighted"
    sampled = weighted or values["kl"] == "sampled"
    closed_form = posterior != "flow" and prior not in ("mixture", "vamp")
    yield from _likelihood_rules(values["likelihood"], values["likelihood_scale"], values)
    yield (
        posterior in ("full_covariance", "flow") and latent_dim == 1,
        f"posterior: {posterior} is gaussian in one dimension; say so, or give latent_dim more",
    )
    yield (
        (posterior == "categorical") != (prior == "uniform"),
        "prior: uniform goes with posterior categorical, and no other with either",
    )
    yield (
        posterior != "categorical" and gradient in DISCRETE_GRADIENTS,
        f"gradient: {gradient} needs posterior categorical; say pathwise",
    )
    if values["second_latent_dim"] is not None:
        yield (
            (posterior, prior) != ("gaussian", "standard_normal"),
            "second_latent_dim: needs posterior gaussian and prior standard_normal",
        )
        yield not sampled, "kl: two stochastic layers have no analytic KL; say sampled"
        yield (
            gradient != "pathwise",
            f"gradient: {gradient} needs one stochastic layer; say pathwise",
        )
    yield from _discrete_rules(values) if posterior == "categorical" else ()
    yield (
        not (closed_form or sampled),
        f"kl: the KL from posterior {posterior} to prior {prior} has no analytic form; say sampled",
    )
    yield (
        posterior == "flow" and prior == "vamp",
        "prior: vamp needs a Gaussian posterior; flow knows the density of a given z too slowly",
    )
    yield (
        posterior == "flow" and gradient != "pathwise",
        f"gradient: {gradient} needs a Gaussian posterior; say pathwise for flow",
    )
    yield (
        gradient == "sticking_the_landing" and (weighted or not sampled),
        "gradient: sticking_the_landing needs objective elbo with kl sampled",
    )
    yield (
        gradient == "doubly_reparametrised" and not weighted,
        "gradient: doubly_reparametrised needs objective importance_weighted",
    )
    yield (
        values["free_bits"] > 0 and (weighted or sampled or posterior != "gaussian"),
        "free_bits: needs objective elbo, kl analytic and posterior gaussian",
    )


def _discrete_rules(values: dict[str, Any]) -> Iterator[tuple[bool, str]]:
    """What a z does not need that can be summed over, or cannot have, being discrete."""
    gradient, samples = values["gradient"], values["training_samples"]
    yield values["latent_dim"] == 1, "latent_dim: a categorical z needs 2 values or more"
    for key, value in {"objective": "elbo", "kl": "analytic"}.items():
        yield (
            values[key] != value,
            f"{key}: that of posterior categorical is an exact sum; say {value}",
        )
    yield (
        gradient not in ("pathwise", *DISCRETE_GRADIENTS),
        f"gradient: {gradient} needs a continuous z; say pathwise, the exact sum",
    )
    yield (
        gradient == "pathwise" and samples > 1,
        "training_samples: gradient pathwise of posterior categorical is an exact sum; say 1",
    )
    yield (
        gradient == "score_function" and samples < 2,
        "training_samples: score_function needs 2 or more, each the baseline of the others",
    )
    yield values["ais_images"] > 0, "ais_images: AIS needs a continuous z; say 0"


def _likelihood_rules(
    likelihood: str, scale: float | None, values: dict[str, Any]
) -> Iterator[tuple[bool, str]]:
    yield (
        scale is not None and likelihood not in SCALED,
        f"likelihood_scale: {likelihood} has no scale; say null, or use {' or '.join(SCALED)}",
    )
    yield (
        likelihood == "gaussian" and scale is not None and scale < values["scale_floor"],
        f"likelihood_scale: {scale} is below scale_floor {values['scale_floor']}; lower the floor",
    )
