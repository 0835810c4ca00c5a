"""Steps of Adam on the global batch, of which each rank works on its share."""

import math
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from elboflow.vae.spec import TrainingSpec
from elboflow.vae.training.batches import Batches
from elboflow.vae.training.flat_parameters import FlatParameters
from elboflow.vae.training.gradient import Allreduce, Gradient, add_and_clip
from elboflow.vae.training.optimiser import Adam
from elboflow.vae.training.schedules import beta_at, learning_rate_at


class Diverged(ArithmeticError):
    """The objective or its gradient is not finite."""


@dataclass(frozen=True)
class Sums:
    """Sums over images in nats, and the number of images."""

    objective: float
    rate: float
    distortion: float
    images: int

    def __add__(self, other: "Sums") -> "Sums":
        return Sums(
            self.objective + other.objective,
            self.rate + other.rate,
            self.distortion + other.distortion,
            self.images + other.images,
        )


COLUMNS = (
    *("learning_rate", "beta", "train_objective_nats", "train_elbo_nats", "train_rate_nats"),
    *("train_distortion_nats", "gradient_norm"),
)
NOTHING = Sums(0.0, 0.0, 0.0, 0)


class Steps:
    """The steps so far, and their sums since the epoch began; alike on every rank.

    What steps return is looked at when `batches.ahead` of them are done.
    """

    def __init__(
        self,
        spec: TrainingSpec,
        flat: FlatParameters,
        batches: Batches,
        gradient: Gradient,
        allreduce: Allreduce,
    ) -> None:
        self.spec, self.flat, self.batches = spec, flat, batches
        self.gradient, self.allreduce = gradient, allreduce
        self.optimiser = Adam(flat.values.detach(), spec)
        self.learning_rate = spec.learning_rate  # of the last step
        self.done = 0
        self._pending: list[Tensor] = []  # what steps returned and nobody has looked at
        self.begin_epoch()

    @property
    def passes(self) -> float:
        """Passes over the training images so far."""
        return self.done * self.spec.batch_size / self.batches.epoch_images

    @property
    def beta(self) -> float:
        """The KL's weight in the next step."""
        return beta_at(self.spec, self.passes)

    def begin_epoch(self) -> None:
        self.sums, self.norms, self.epoch_steps = NOTHING, 0.0, 0

    def advance(self) -> bool:
        """Take one step on the global batch.

        Returns:
            Whether an epoch ended with this step.

        Raises:
            Diverged: on every rank alike. The parameters are some steps ahead by then, none of
                which can have been saved.
        """
        self.learning_rate = learning_rate_at(self.spec, self.passes)
        x, noise = self.batches.of(self.done)
        buffer = self.gradient(x, noise, self.beta)
        self._pending.append(add_and_clip(self.spec, buffer, self.allreduce))
        size, images = self.spec.batch_size, self.batches.epoch_images
        ended = (self.done + 1) * size % images < size
        if ended or len(self._pending) >= self.batches.ahead:
            self._look(self.done)
        self.optimiser.step(buffer[:-3], self.learning_rate)
        self.done += 1
        return ended

    def _look(self, last: int) -> None:
        """Take in what the steps up to `last` have returned."""
        pending, self._pending = self._pending, []
        rows = torch.stack(pending).tolist() if pending else []
        for step, (total, rate, distortion, norm) in enumerate(rows, last - len(rows) + 1):
            if not (math.isfinite(total) and math.isfinite(norm)):
                raise Diverged(f"the objective or its gradient is not finite at step {step + 1}")
            self.sums += Sums(total, rate, distortion, self.spec.batch_size)
            self.norms += norm
            self.epoch_steps += 1

    def means(self) -> dict[str, float | None]:
        """Of the epoch's steps, columns of metrics.csv; None without steps."""
        if not self.epoch_steps:
            return dict.fromkeys(COLUMNS)
        count = self.sums.images
        rate, distortion = self.sums.rate / count, self.sums.distortion / count
        elbo, objective = -distortion - rate, self.sums.objective / count
        norm = self.norms / self.epoch_steps
        values = [self.learning_rate, self.beta, objective, elbo, rate, distortion, norm]
        return dict(zip(COLUMNS, values, strict=True))

    def state(self) -> dict[str, Any]:
        """All that is needed to go on exactly.

        Raises:
            Diverged: as `advance` does; there is nothing to save then.
        """
        self._look(self.done - 1)
        return {
            "step": self.done,
            "values": self.flat.values.detach().cpu(),
            "optimiser": self.optimiser.state(),
            "sums": list(asdict(self.sums).values()),
            "norms": self.norms,
            "epoch_steps": self.epoch_steps,
        }

    def load_state(self, state: dict[str, Any]) -> None:
        self.done = state["step"]
        with torch.no_grad():
            self.flat.values.copy_(state["values"])
        self.optimiser.load_state(state["optimiser"])
        self.sums = Sums(*state["sums"])
        self.norms, self.epoch_steps = state["norms"], state["epoch_steps"]
