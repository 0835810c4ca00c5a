"""Which likelihoods, posteriors, priors, objectives and gradients make sense together."""

from collections.abc import Iterator
from typing import Any

SCALED = ("gaussian", "discretised_logistic")


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
    """What a z does not need that is summed over, or cannot have, being discrete."""
    yield values["latent_dim"] == 1, "latent_dim: a categorical z needs 2 values or more"
    exact = {"objective": "elbo", "kl": "analytic", "gradient": "pathwise", "training_samples": 1}
    for key, value in exact.items():
        yield (
            values[key] != value,
            f"{key}: the ELBO of posterior categorical is exact; say {value}",
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
