"""Latents in groups, each given those that were drawn before it."""

import inspect
from collections.abc import Callable, Iterator

from torch import Tensor
from torch.distributions import Distribution

Group = Distribution | Callable[..., Distribution]


class Groups:
    """A joint distribution of several groups of latents, in the order of drawing.

    Groups(z2=Independent(Normal(mean, sd), 1), z1=lambda z2: ...) is p(z2) p(z1 | z2). A group is
    a distribution of event_shape (L_g,), or a function of groups before it, by their names, that
    returns one. Several draws come at once: its arguments have shape (..., L_g), in a posterior
    (K, B, L_g) of K draws for each of B images.
    """

    def __init__(self, **groups: Group) -> None:
        if not groups:
            raise ValueError("Groups: needs at least one group, by its name")
        self.groups = groups

    def walk(
        self, value: Callable[[str, Distribution], Tensor]
    ) -> Iterator[tuple[str, Distribution, Tensor]]:
        """Each group's name, distribution and value, which may depend on these two."""
        found: dict[str, Tensor] = {}
        for name, group in self.groups.items():
            if not isinstance(group, Distribution):
                wanted = inspect.signature(group).parameters
                group = group(**{earlier: found[earlier] for earlier in wanted})
            found[name] = value(name, group)
            yield name, group, found[name]
