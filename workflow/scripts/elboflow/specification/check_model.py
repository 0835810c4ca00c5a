"""Which likelihoods, posteriors, priors, objectives and gradients make sense together.

What each can is declared in vae/choices.py; nothing here names one.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from elboflow.vae.choices import GRADIENTS, LIKELIHOODS, OBJECTIVES, POSTERIORS, PRIORS
from elboflow.vae.products import Run

Rules = Iterator[tuple[bool, str]]
"""Whether something is wrong, and then what to do."""


def complaint_about(values: Run) -> str | None:
    """The first thing that is wrong with a resolved run's model, as `key: what to do`."""
    return next((complaint for wrong, complaint in _rules(values) if wrong), None)


def _rules(values: Run) -> Rules:
    if values["model"]:
        yield from _own_model_rules(values)
        return
    yield from _likelihood_rules(values)
    yield from _posterior_rules(values)
    yield from _two_layer_rules(values) if values["second_latent_dim"] is not None else ()
    yield from _discrete_rules(values) if POSTERIORS[values["posterior"]].discrete else ()
    yield from _kl_rules(values)
    yield from _gradient_rules(values)
    yield from _free_bits_rules(values)


def _own_model_rules(values: Run) -> Rules:
    """What can be told before it is built."""
    gradient = values["gradient"]
    yield (
        GRADIENTS[gradient].discrete,
        f"gradient: {gradient} needs posterior {_those(POSTERIORS, 'discrete')}; say pathwise",
    )
    yield from _needs(values)
    yield (
        values["free_bits"] > 0 and _sampled(values),
        f"free_bits: needs objective {_those(OBJECTIVES, 'weighs_kl')} and kl analytic",
    )
    yield (
        values["precision"] == "bf16",
        "precision: bf16 is that of layers of built-in networks; say float32 or tf32",
    )


def _likelihood_rules(values: Run) -> Rules:
    likelihood, scale = LIKELIHOODS[values["likelihood"]], values["likelihood_scale"]
    yield (
        scale is not None and not likelihood.scaled,
        f"likelihood_scale: {values['likelihood']} has no scale; say null, or use "
        + _those(LIKELIHOODS, "scaled"),
    )
    yield (
        likelihood.floored and scale is not None and scale < values["scale_floor"],
        f"likelihood_scale: {scale} is below scale_floor {values['scale_floor']}; lower the floor",
    )


def _posterior_rules(values: Run) -> Rules:
    name, posterior = values["posterior"], POSTERIORS[values["posterior"]]
    gradient = values["gradient"]
    discrete, their_prior = _those(POSTERIORS, "discrete"), _those(PRIORS, "discrete")
    yield (
        posterior.dependent and values["latent_dim"] == 1,
        f"posterior: {name} is gaussian in one dimension; say so, or give latent_dim more",
    )
    yield (
        posterior.discrete != PRIORS[values["prior"]].discrete,
        f"prior: {their_prior} goes with posterior {discrete}, and no other with either",
    )
    yield (
        not posterior.discrete and GRADIENTS[gradient].discrete,
        f"gradient: {gradient} needs posterior {discrete}; say pathwise",
    )


def _two_layer_rules(values: Run) -> Rules:
    posterior, prior = POSTERIORS[values["posterior"]], PRIORS[values["prior"]]
    posteriors, priors = _those(POSTERIORS, "two_layers"), _those(PRIORS, "two_layers")
    yield (
        not (posterior.two_layers and prior.two_layers),
        f"second_latent_dim: needs posterior {posteriors} and prior {priors}",
    )
    yield (
        not _sampled(values),
        "kl: two stochastic layers have no analytic KL; say sampled",
    )
    yield (
        values["gradient"] != "pathwise",
        f"gradient: {values['gradient']} needs one stochastic layer; say pathwise",
    )


def _discrete_rules(values: Run) -> Rules:
    """What a z does not need that can be summed over, or cannot have, being discrete."""
    posterior, samples = values["posterior"], values["training_samples"]
    name, gradient = values["gradient"], GRADIENTS[values["gradient"]]
    yield values["latent_dim"] == 1, f"latent_dim: a {posterior} z needs 2 values or more"
    for key, value in {"objective": "elbo", "kl": "analytic"}.items():
        yield (
            values[key] != value,
            f"{key}: that of posterior {posterior} is an exact sum; say {value}",
        )
    yield (
        name != "pathwise" and not gradient.discrete,
        f"gradient: {name} needs a continuous z; say pathwise, the exact sum",
    )
    yield (
        name == "pathwise" and samples > 1,
        f"training_samples: gradient pathwise of posterior {posterior} is an exact sum; say 1",
    )
    yield (
        samples < gradient.fewest_draws,
        f"training_samples: {name} needs {gradient.fewest_draws} or more, each the baseline of the "
        "others",
    )
    yield values["ais_images"] > 0, "ais_images: AIS needs a continuous z; say 0"


def _kl_rules(values: Run) -> Rules:
    posterior, prior = values["posterior"], values["prior"]
    closed_form = POSTERIORS[posterior].closed_form_kl and PRIORS[prior].closed_form_kl
    yield (
        not (closed_form or _sampled(values)),
        f"kl: the KL from posterior {posterior} to prior {prior} has no analytic form; say sampled",
    )
    yield (
        PRIORS[prior].of_posteriors and not POSTERIORS[posterior].weighs_any_z,
        f"prior: {prior} needs a Gaussian posterior; {posterior} knows the density of a given z "
        "too slowly",
    )


def _gradient_rules(values: Run) -> Rules:
    name, posterior = values["gradient"], values["posterior"]
    yield (
        name != "pathwise" and not POSTERIORS[posterior].weighs_any_z,
        f"gradient: {name} needs a Gaussian posterior; say pathwise for {posterior}",
    )
    yield from _needs(values)


def _needs(values: Run) -> Rules:
    """The values of other keys that a gradient needs."""
    name = values["gradient"]
    needs = GRADIENTS[name].needs
    yield (
        any(values[key] != value for key, value in needs.items()),
        f"gradient: {name} needs {' with '.join(f'{key} {needs[key]}' for key in needs)}",
    )


def _free_bits_rules(values: Run) -> Rules:
    per_dimension = POSTERIORS[values["posterior"]].kl_per_dimension
    objectives, posteriors = _those(OBJECTIVES, "weighs_kl"), _those(POSTERIORS, "kl_per_dimension")
    yield (
        values["free_bits"] > 0 and (_sampled(values) or not per_dimension),
        f"free_bits: needs objective {objectives}, kl analytic and posterior {posteriors}",
    )


def _those(choices: Mapping[str, Any], what: str) -> str:
    """The names of those whose declaration says so."""
    return " or ".join(name for name, choice in choices.items() if getattr(choice, what))


def _sampled(values: Run) -> bool:
    """Whether the KL is that of draws."""
    return not OBJECTIVES[values["objective"]].weighs_kl or values["kl"] == "sampled"
