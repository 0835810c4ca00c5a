"""What may be chosen of a model by name, and what can be said of each choice without torch.

The schema's lists of values, the checks of a configuration, the counts of parameters and the words
of the report follow from these tables. What does the work registers itself under the same name:
classes in vae.model, functions in vae.training.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from elboflow.vae.products import Factor, Product, Run, dense, layers


@dataclass(frozen=True)
class Data:
    """What a likelihood observes; values of different data cannot be compared."""

    pixels: str
    words: str  # for readers
    discrete: bool  # has a probability, so that bits/dim has a meaning; else a density


DATA = {
    "binary": Data(
        "binary pixels (grey levels are binarised afresh at each visit in training)",
        "binary images",
        discrete=True,
    ),
    "unit": Data(
        "level / levels in [0, 1], a density", "densities of grey levels in [0, 1]", discrete=False
    ),
    "levels": Data("whole grey levels", "probabilities of grey levels", discrete=True),
}


@dataclass(frozen=True)
class Likelihood:
    """p(x | z)."""

    observes: str  # a key of DATA
    scaled: bool = False  # has the key likelihood_scale, which may be learned
    floored: bool = False  # and has scale_floor under it
    one_output_per_level: bool = False  # of each pixel, in place of one


LIKELIHOODS = {
    "bernoulli": Likelihood("binary"),
    "continuous_bernoulli": Likelihood("unit"),
    "gaussian": Likelihood("unit", scaled=True, floored=True),
    "discretised_logistic": Likelihood("levels", scaled=True),
    "categorical": Likelihood("levels", one_output_per_level=True),
}


def observed_by(run: Run) -> str:
    """What the model of a run observes, a key of DATA; a user's own model is asked itself."""
    return run.get("observes") or LIKELIHOODS[run["likelihood"]].observes


def _means(run: Run, features: Factor) -> Iterator[Product]:
    """Or logits."""
    yield from dense([features, ("latent_dim", run["latent_dim"])])


def _means_and_sds(run: Run, features: Factor) -> Iterator[Product]:
    yield from _means(run, features)
    yield from _means(run, features)


def _means_and_matrix(run: Run, features: Factor) -> Iterator[Product]:
    latent = run["latent_dim"]
    yield from _means_and_sds(run, features)
    yield from dense([features, ("latent_dim", latent * (latent - 1) // 2)])


def _means_sds_and_transforms(run: Run, features: Factor) -> Iterator[Product]:
    latent = run["latent_dim"]
    yield from _means_and_sds(run, features)
    given, last = ("latent_dim", latent + features[1]), ("latent_dim", 2 * latent)
    for product in dense([given, *layers(run, "flow_hidden"), last]):
        yield [("flow_transforms", run["flow_transforms"]), *product]


@dataclass(frozen=True)
class Posterior:
    """q(z | x)."""

    meaning: str
    parameters: Callable[[Run, Factor], Iterator[Product]]  # behind so many features
    discrete: bool = False  # z is one of latent_dim values, which can be summed over
    closed_form_kl: bool = False  # to the priors that have one
    kl_per_dimension: bool = False  # and it is a sum over the dimensions of z
    weighs_any_z: bool = False  # in one pass; else a z that was not drawn takes one a dimension
    dependent: bool = False  # dimensions of z may depend on each other
    matrix: bool = False  # of latent_dim x latent_dim numbers, for each image
    searched: bool = False  # for the best q of an image
    two_layers: bool = False  # can have a second stochastic layer above it


POSTERIORS = {
    "gaussian": Posterior(
        "diagonal",
        _means_and_sds,
        closed_form_kl=True,
        kl_per_dimension=True,
        weighs_any_z=True,
        searched=True,
        two_layers=True,
    ),
    "full_covariance": Posterior(
        "a Gaussian whose dimensions may depend on each other",
        _means_and_matrix,
        closed_form_kl=True,
        weighs_any_z=True,
        dependent=True,
        matrix=True,
        searched=True,
    ),
    "flow": Posterior(
        "an inverse autoregressive flow of flow_transforms transforms that starts from gaussian; "
        "its KL is sampled",
        _means_sds_and_transforms,
        dependent=True,
    ),
    "categorical": Posterior(
        "one discrete variable of latent_dim values, with prior uniform; ELBO and log p(x) are "
        "then exact sums over them",
        _means,
        discrete=True,
        closed_form_kl=True,
        weighs_any_z=True,
    ),
}


def _none(run: Run, pixels: int) -> Iterator[Product]:
    return iter(())


def _gaussian_components(run: Run, pixels: int) -> Iterator[Product]:
    components = ("prior_components", run["prior_components"])
    yield [components, ("latent_dim", 2 * run["latent_dim"] + 1)]


def _pseudo_inputs(run: Run, pixels: int) -> Iterator[Product]:
    yield [("prior_components", run["prior_components"]), ("", pixels)]


@dataclass(frozen=True)
class Prior:
    """p(z)."""

    meaning: str
    parameters: Callable[[Run, int], Iterator[Product]] = _none  # of images of so many pixels
    discrete: bool = False  # as of Posterior; these two go together
    closed_form_kl: bool = False  # from the posteriors that have one
    components: bool = False  # has prior_components, each of which weighs every z
    of_posteriors: bool = False  # and these are posteriors of images
    two_layers: bool = False  # can have p(z given z2) in its place


PRIORS = {
    "standard_normal": Prior("N(0, I)", closed_form_kl=True, two_layers=True),
    "mixture": Prior(
        "prior_components diagonal Gaussians, learned; the KL to it is sampled",
        _gaussian_components,
        components=True,
    ),
    "vamp": Prior(
        "the mean of the posteriors of prior_components learned pseudo-inputs; the KL to it is "
        "sampled",
        _pseudo_inputs,
        components=True,
        of_posteriors=True,
    ),
    "uniform": Prior("that of posterior categorical", discrete=True, closed_form_kl=True),
}


@dataclass(frozen=True)
class Objective:
    """What training maximises."""

    meaning: str
    weighs_kl: bool = False  # has a KL term of its own: keys kl, beta, warmup_epochs, free_bits


OBJECTIVES = {
    "elbo": Objective("reconstruction minus beta times KL", weighs_kl=True),
    "importance_weighted": Objective("the bound of Burda et al. with training_samples samples"),
}


@dataclass(frozen=True)
class Gradient:
    """How the objective is differentiated."""

    meaning: str
    discrete: bool = False  # of a discrete z alone, by draws
    fewest_draws: int = 1
    needs: Mapping[str, str] = field(default_factory=dict)  # values of other keys


GRADIENTS = {
    "pathwise": Gradient(
        "through the samples and the densities; of posterior categorical, the exact sum over its "
        "values"
    ),
    "sticking_the_landing": Gradient(
        "of elbo with a sampled KL, through the samples alone, of the same mean and mostly of less "
        "variance",
        needs={"objective": "elbo", "kl": "sampled"},
    ),
    "doubly_reparametrised": Gradient(
        "the same of importance_weighted", needs={"objective": "importance_weighted"}
    ),
    "score_function": Gradient(
        "of posterior categorical alone, by training_samples draws, of the same mean as the exact "
        "sum, by REINFORCE with the other draws as a baseline",
        discrete=True,
        fewest_draws=2,
    ),
    "gumbel_softmax": Gradient(
        "of posterior categorical alone, through training_samples relaxed draws, biased",
        discrete=True,
    ),
}

CHOICES: dict[str, Mapping[str, Any]] = {
    "likelihood": LIKELIHOODS,
    "posterior": POSTERIORS,
    "prior": PRIORS,
    "objective": OBJECTIVES,
    "gradient": GRADIENTS,
}
"""The names that each of these keys of a run may have."""


def meanings(key: str) -> str:
    """What each name means, for the key's description."""
    if key == "likelihood":
        kinds = {
            kind: [name for name, choice in LIKELIHOODS.items() if choice.observes == kind]
            for kind in DATA
        }
        said = [f"Of {DATA[kind].pixels}: {', '.join(names)}" for kind, names in kinds.items()]
    else:
        said = [f"{name}: {choice.meaning}" for name, choice in CHOICES[key].items()]
    return " ".join(f"{sentence}." for sentence in said)
