"""What can fit nowhere is refused before anything starts: memory and steps of a run.

Only what cannot be avoided is counted, and the limits are far above what is done anywhere. They are
the same on every machine that plans.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from elboflow.specification.model_size import SHAPES, Shape, ends, parameters, products
from elboflow.specification.nodes import bounds
from elboflow.vae.choices import POSTERIORS, PRIORS
from elboflow.vae.products import Product, layers, value

MOST_MODEL_BYTES = 1 << 40  # 1 TiB, far above any model of this kind
MOST_STEPS = 10**10  # four months, at a millisecond each
STEPS_AHEAD = 32  # of AIS, whose noise is drawn at once


def complaint_about_cost(
    run: dict[str, Any], source: str, images: int | None, tested: int | None
) -> str | None:
    """What of a resolved run can fit nowhere, as `key: what to do`; None if nothing.

    Args:
        source: of its data set, of which `images` are for training and `tested` for the test;
            None where nobody knows before the data are read.
    """
    shape, tested = SHAPES.get(source, Shape()), tested or 1
    epoch = (images or run["batch_size"]) // run["batch_size"]
    needs = {
        ("training", MOST_STEPS, "steps"): iter([[("epochs", run["epochs"]), ("", epoch)]]),
        ("the evaluation", MOST_STEPS, "steps"): _evaluation_steps(run, tested),
    }
    if not run["model"]:  # nobody knows the size of a user's own before it is built
        size = f"training {_short(parameters(run, shape))} parameters"
        needs = {
            (size, MOST_MODEL_BYTES, "bytes on a node"): _training_bytes(run, shape),
            ("the evaluation", MOST_MODEL_BYTES, "bytes"): _evaluation_bytes(run, shape, tested),
            **needs,
        }
    for (what, most, unit), amounts in needs.items():
        terms = list(amounts)
        if (total := sum(map(value, terms))) > most:
            keys = [factor for factor in max(terms, key=value) if factor[0]]
            key = max(keys, key=lambda factor: factor[1])[0]
            least = f"{what} takes {_short(total)} {unit} at least"
            return f"{key}: {least}, and {_short(most)} are the limit; lower {key}"
    return None


def _training_bytes(run: dict[str, Any], shape: Shape) -> Iterator[Product]:
    """Of the ranks of a node: what they hold, what one of them saves, and what a step computes."""
    number = ("", _bytes(run))
    for product in products(run, shape):
        # Parameters, gradient and Adam's two moments; a checkpoint has all but the gradient.
        yield [*product, ("tasks_per_node", run["tasks_per_node"]), number, ("", 4)]
        yield [*product, number, ("", 3)]
    images = ("batch_size", run["batch_size"] // bounds(run)[0])
    for layer in layers(run, "encoder_layers"):
        yield [images, layer, number]
    latent, components = ("latent_dim", run["latent_dim"]), _components(run)
    draws = ("training_samples", run["training_samples"])
    posterior = POSTERIORS[run["posterior"]]
    if posterior.discrete:
        yield [latent, latent, number]  # all values, one-hot
        draws = latent if run["gradient"] == "pathwise" else draws
    else:
        for layer in [latent, *layers(run, "decoder_layers"), *components]:
            yield [images, draws, layer, number]
    yield [images, draws, ends(run, shape)[1], number]
    if posterior.matrix:
        yield [images, latent, latent, number]


def _evaluation_bytes(run: dict[str, Any], shape: Shape, tested: int) -> Iterator[Product]:
    """Of one rank: what is computed at once of the test images, and of chains of AIS."""
    number, latent = ("", _bytes(run)), ("latent_dim", run["latent_dim"])
    images = ("chunk_images", min(run["chunk_images"], tested))
    samples = ("chunk_samples", min(run["chunk_samples"], run["importance_samples"]))
    yield [("elbo_samples", run["elbo_samples"]), images, number]
    wide = [latent, *layers(run, "decoder_layers"), *_components(run), ends(run, shape)[1]]
    widest = max(wide, key=lambda layer: layer[1])
    yield [images, samples, widest, number]
    if run["ais_images"]:
        chains = ("ais_chains", run["ais_chains"])
        images = ("ais_chunk_images", min(run["ais_chunk_images"], run["ais_images"], tested))
        yield [images, chains, latent, ("", STEPS_AHEAD), number]
        yield [images, chains, widest, number]


def _evaluation_steps(run: dict[str, Any], tested: int) -> Iterator[Product]:
    """Chunks of samples, and leapfrog steps of AIS, on test images and in the pilot run."""
    parts = ("", -(-tested // run["chunk_images"]))
    for key in ("elbo_samples", "importance_samples"):
        yield [(key, -(-run[key] // run["chunk_samples"])), parts]
    parts = ("ais_images", -(-min(run["ais_images"], tested) // run["ais_chunk_images"]))
    steps = [(key, run[key]) for key in ("ais_temperatures", "ais_leapfrog_steps")]
    yield [parts, *steps, ("", 2)]


def _bytes(run: dict[str, Any]) -> int:
    """Of a number."""
    return 8 if run["precision"] == "float64" else 4


def _components(run: dict[str, Any]) -> Product:
    """Components of the prior, each of which weighs every z."""
    several = PRIORS[run["prior"]].components
    return [("prior_components", run["prior_components"])] if several else []


def _short(number: int) -> str:
    """Two digits and a power of ten, of an integer of any size."""
    return f"{number:_}".replace("_", " ") if number < 10**6 else f"{Decimal(number):.1e}"
