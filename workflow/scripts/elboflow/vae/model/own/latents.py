"""Prior and posteriors of a user's model.

B = images, K = samples, L = latent dimensions.
"""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

import torch
from torch import Tensor
from torch.distributions import (
    Distribution,
    Independent,
    LowRankMultivariateNormal,
    MultivariateNormal,
    Normal,
    constraints,
)

from elboflow.vae import choices
from elboflow.vae.model.gaussian import FullCovariance, Gaussian
from elboflow.vae.model.mean_of_draws import mean_of_draws
from elboflow.vae.model.own import draws
from elboflow.vae.model.own.groups import Groups
from elboflow.vae.model.posterior import Posterior
from elboflow.vae.model.prior import Prior
from elboflow.vae.spec import SpecError

# Nothing that takes the density of one image's z under another's q.
ANY_FAMILY = choices.Posterior("", lambda run, features: iter(()))
Joint = Distribution | Groups


def family_of(joint: Joint) -> choices.Posterior:
    """What can be done with posteriors of such distributions."""
    if _diagonal(joint) is not None:
        return choices.POSTERIORS["gaussian"]
    if isinstance(joint, MultivariateNormal | LowRankMultivariateNormal):
        return choices.POSTERIORS["full_covariance"]
    return ANY_FAMILY


def posterior_of(joint: Joint, places: dict[str, slice], like: Tensor) -> Posterior:
    """A batch's q(z | x): the built-in one where it is Gaussian."""
    if (normal := _diagonal(joint)) is not None:
        return Gaussian(normal.loc, normal.scale.log())
    if isinstance(joint, MultivariateNormal | LowRankMultivariateNormal):
        return FullCovariance(joint.mean, draws.factor(joint))
    return OwnPosterior(joint, places, like)


def _diagonal(joint: Joint) -> Normal | None:
    base = joint.base_dist if isinstance(joint, Independent) else None
    return base if isinstance(base, Normal) else None


def sizes_of(joint: Joint) -> dict[str, int]:
    """How many numbers each group of z has; of a single distribution, one without a name."""
    return {name: group.event_shape.numel() for name, group in members(joint)}


def is_injected(joint: Joint) -> bool:
    """Whether draws are functions of noise, image by image: see draws.py."""
    return all(draws.is_injected(group) for _, group in members(joint))


def is_real(joint: Joint) -> bool:
    """Whether z may be any real numbers: elsewhere torch's densities need not even be 0."""
    supports = [innermost(group.support) for _, group in members(joint)]
    return all(isinstance(support, type(constraints.real)) for support in supports)


def innermost(support: Any) -> Any:
    """What is said of a single number."""
    while hasattr(support, "base_constraint"):
        support = support.base_constraint
    return support


def members(joint: Joint) -> list[tuple[str, Distribution]]:
    """All groups and their names, each given some draw; of a single distribution, itself."""
    if isinstance(joint, Distribution):
        return [("", joint)]
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        return [(name, group) for name, group, _ in joint.walk(lambda _, group: group.sample())]


def places_of(sizes: dict[str, int]) -> dict[str, slice]:
    """Where the numbers of each group lie in z."""
    ends = list(accumulate(sizes.values(), initial=0))
    return {name: slice(*place) for name, place in zip(sizes, pairwise(ends), strict=True)}


def _sample(joint: Joint, places: dict[str, slice], epsilon: Tensor) -> Tensor:
    if isinstance(joint, Distribution):
        return draws.draw(joint, epsilon)
    drawn = {
        name: value
        for name, _, value in joint.walk(lambda name, d: draws.draw(d, epsilon[..., places[name]]))
    }
    return torch.cat([drawn[name] for name in places], dim=-1)


def _log_prob(joint: Joint, places: dict[str, slice], z: Tensor) -> Tensor:
    if isinstance(joint, Distribution):
        return joint.log_prob(z)
    terms = [d.log_prob(value) for _, d, value in joint.walk(lambda name, _: z[..., places[name]])]
    return torch.stack(terms).sum(0)


@dataclass(frozen=True)
class OwnPosterior(Posterior):
    """q(z | x) of a batch, of any distribution or of groups.

    places: where each group's numbers lie in z, in the order of the prior's groups.
    like: a tensor of z's shape (B, L) and type.
    """

    joint: Joint
    places: dict[str, slice]
    like: Tensor

    def sample(self, epsilon: Tensor) -> tuple[Tensor, Tensor]:
        """Draws z from standard normal noise (K, B, L), and log q(z | x), (K, B)."""
        z = _sample(self.joint, self.places, epsilon)
        return z, self.log_prob(z)

    def log_prob(self, z: Tensor) -> Tensor:
        """log q(z | x) in nats, shape (K, B, L) to (K, B)."""
        return _log_prob(self.joint, self.places, z)

    @property
    def mean(self) -> Tensor:
        """E[z | x], shape (B, L); approximately where the distribution does not know it."""
        if isinstance(self.joint, Distribution):
            with contextlib.suppress(NotImplementedError):
                return self.joint.mean.to(self.like.dtype)
        return mean_of_draws(self.sample, len(self.like), self.like.shape[1], self.like)

    def detach(self) -> "OwnPosterior":
        raise SpecError(
            "gradient: only a Gaussian posterior of one's own has another than pathwise"
        )


class OwnPrior(Prior):
    """p(z), as a user's model says it anew at each call."""

    choice = choices.Prior("")

    def __init__(self, joint: Callable[[], Joint], places: dict[str, slice]) -> None:
        super().__init__()
        self.joint, self.places = joint, places

    @property
    def is_standard_normal(self) -> bool:  # type: ignore[override]
        """Whether it is N(0, I), and not by chance: no parameter can change it."""
        normal = _diagonal(self.joint())
        if normal is None or normal.loc.requires_grad or normal.scale.requires_grad:
            return False
        return bool((normal.loc == 0).all() and (normal.scale == 1).all())

    @property
    def closed_form_kl(self) -> bool:
        return self.is_standard_normal

    def log_prob(self, z: Tensor) -> Tensor:
        """log p(z) in nats, shape (..., L) to (...)."""
        return _log_prob(self.joint(), self.places, z)

    def sample(self, epsilon: Tensor) -> Tensor:
        """Draws of z from standard normal noise of the same shape."""
        return _sample(self.joint(), self.places, epsilon)
