"""What does the work of each choice, by the name under which choices.py declares it."""

from collections.abc import Callable
from typing import Any, TypeVar

from elboflow.vae.choices import CHOICES
from elboflow.vae.spec import SpecError

Made = TypeVar("Made")


class Registry:
    """A decorator for the classes or functions of one key; each gets its declaration as `choice`.

    likelihoods = Registry("likelihood")

    @likelihoods("bernoulli")
    class Bernoulli(Likelihood): ...
    """

    def __init__(self, key: str) -> None:
        self.key, self.declared = key, CHOICES[key]
        self.made: dict[str, Any] = {}

    def __call__(self, name: str) -> Callable[[Made], Made]:
        if name not in self.declared:
            raise LookupError(f"{self.key}: {name!r} is not declared in vae/choices.py")
        if name in self.made:
            raise LookupError(f"{self.key}: {name!r} is taken by {self.made[name]}")

        def register(made: Any) -> Any:
            made.choice = self.declared[name]
            self.made[name] = made
            return made

        return register

    def __getitem__(self, name: str) -> Any:
        if name not in self.made:
            known = ", ".join(self.made)
            raise SpecError(f"{self.key}: {name!r} is unknown, choose from {known}")
        return self.made[name]
