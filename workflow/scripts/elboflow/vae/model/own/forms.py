"""Whether a user's prior(), posterior(x) and likelihood(z) return distributions of the right form.

B = images, N = rows of z, L = latent dimensions.
"""

from collections.abc import Iterator
from typing import Any

import torch
from torch.distributions import Distribution
from torch.distributions.constraints import Constraint

from elboflow.vae.choices import DATA
from elboflow.vae.data import ImageShape
from elboflow.vae.model.own.groups import Groups
from elboflow.vae.model.own.latents import Joint, innermost, members, sizes_of
from elboflow.vae.model.own.module import OwnModelError, told
from elboflow.vae.model.own.pixels import as_images
from elboflow.vae.spec import TrainingSpec

B, N = 2, 3  # no sizes that an image has by chance


def latents_of(
    spec: TrainingSpec, own: Any, shape: ImageShape, dtype: torch.dtype
) -> tuple[Joint, Joint]:
    """What prior() and, of blank images, posterior(x) return.

    Raises:
        OwnModelError: these or likelihood(z) are not of the form that docs/own_model.md says.
    """
    blank = as_images(torch.zeros(B, shape.pixels, dtype=dtype), shape)
    with torch.no_grad():
        with told(f"{spec.model}: prior()"):
            prior = own.prior()
            _require(spec, _of_latents("prior()", prior, ()))
        with told(f"{spec.model}: posterior(x) of x of shape {tuple(blank.shape)}"):
            posterior = own.posterior(blank)
            _require(spec, _of_latents("posterior(x)", posterior, (B,)))
            _require(spec, _alike(prior, posterior))
        latent_dim = sum(sizes_of(prior).values())
        z = torch.zeros(N, latent_dim, dtype=dtype)
        with told(f"{spec.model}: likelihood(z) of z of shape {tuple(z.shape)}"):
            likelihood = own.likelihood(z)
            _require(spec, _of_pixels(likelihood, tuple(blank.shape[1:])))
            _require(spec, _observing(likelihood.support, str(spec.observes), shape.levels))
    return prior, posterior


def _require(spec: TrainingSpec, problems: Iterator[str]) -> None:
    for problem in problems:
        raise OwnModelError(f"{spec.model}: {problem}")


def _of_latents(method: str, joint: Any, batch: tuple[int, ...]) -> Iterator[str]:
    if not isinstance(joint, Distribution | Groups):
        kind = type(joint).__name__
        yield f"{method} returns a {kind}: it must return a torch distribution, or elboflow.Groups"
    for name, group in members(joint):
        where = f"{method}, group {name}" if name else method
        found, event = tuple(group.batch_shape), tuple(group.event_shape)
        if not event:
            yield (
                f"{where}: event_shape is () and batch_shape {found}: wrap it in "
                "torch.distributions.Independent(..., 1), so that log_prob is of all of z"
            )
        if len(event) > 1:
            yield f"{where}: event_shape is {event} and must be (L,): flatten z"
        if found != batch and (not name or not batch or found[-1:] != batch):
            yield f"{where}: batch_shape is {found} and must be {batch}"


def _alike(prior: Joint, posterior: Joint) -> Iterator[str]:
    ours, theirs = (
        {name: tuple(group.event_shape) for name, group in members(joint)}
        for joint in (prior, posterior)
    )
    if ours != theirs:
        yield f"prior() and posterior(x) are of other z: event shapes {ours} and {theirs}"


def _of_pixels(likelihood: Any, image: tuple[int, ...]) -> Iterator[str]:
    if not isinstance(likelihood, Distribution):
        kind = type(likelihood).__name__
        yield f"likelihood(z) returns a {kind}: it must return a torch distribution"
    batch, event = tuple(likelihood.batch_shape), tuple(likelihood.event_shape)
    if event != image or batch != (N,):
        yield (
            f"likelihood(z) of {N} rows of z has batch_shape {batch} and event_shape {event}; its "
            f"event must be the image, batch_shape ({N},) and event_shape {image}: for pixels that "
            f"are independent given z, Independent(pixels of shape (N, {str(image)[1:-1]}), 3)"
        )


def _observing(support: Constraint, observes: str, levels: int) -> Iterator[str]:
    """Whether images of this kind are what the likelihood is a density of."""
    support = innermost(support)
    values = torch.linspace(0, 1, 2) if observes != "levels" else torch.arange(levels + 1.0)
    discrete = DATA[observes].discrete
    if support.is_discrete != discrete:
        kind = "probabilities of whole numbers" if support.is_discrete else "a density"
        advice = "observes: binary or levels" if support.is_discrete else "observes: unit"
        yield f"likelihood(z) gives {kind}, and the run says observes: {observes}; say {advice}"
    elif not bool(support.check(values).all()):
        yield (
            f"likelihood(z) is of values in {support}, and images that are observed as {observes} "
            f"have values from 0 to {values[-1]:g}"
        )
