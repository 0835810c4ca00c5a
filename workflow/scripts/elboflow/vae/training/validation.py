"""The ELBO of the validation images, and early stopping by it."""

from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from elboflow.vae.data import as_observed
from elboflow.vae.measure.estimate import chunks, image_noise
from elboflow.vae.model.model import Model
from elboflow.vae.noise import Purpose
from elboflow.vae.spec import TrainingSpec
from elboflow.vae.training.gradient import Allreduce
from elboflow.vae.training.objectives import best_elbo

CHUNK = 500  # images at once


class Validation:
    """The validation images, dealt out to the ranks.

    Args:
        images: uint8, shape (N, D): frozen binary ones where the likelihood observes these, else
            grey levels 0 .. levels.

    Raises:
        DataError: the likelihood is no density of such images.
    """

    def __init__(
        self,
        vae: Model,
        seed: int,
        images: np.ndarray,
        levels: int,
        rank: int,
        size: int,
        allreduce: Allreduce,
    ) -> None:
        self.vae, self.seed, self.images, self.levels = vae, seed, images, levels
        self.rank, self.size, self.allreduce = rank, size, allreduce
        vae.likelihood.require_support(self._observed(torch.from_numpy(images)))

    @torch.no_grad()
    def rate_and_distortion(self) -> tuple[float, float]:
        """Means over all images, in nats."""
        totals = torch.zeros(3, dtype=torch.float64, device=self.vae.device)
        for images, noise in self._chunks:
            x = self._observed(images)
            bound = best_elbo(self.vae, x, noise)
            totals[:2] += torch.stack([bound.rate, bound.distortion]).double().sum(1)
            totals[2] += len(x)
        self.allreduce(totals)
        rate, distortion, counted = totals.tolist()
        if counted != len(self.images):
            raise AssertionError(f"{counted:.0f} validation images, not {len(self.images)}")
        return rate / counted, distortion / counted

    @cached_property
    def _chunks(self) -> list[tuple[Tensor, Tensor]]:
        """This rank's images, uint8 (B, D), and their noise (1, B, L)."""
        mine = list(range(self.rank, len(self.images), self.size))
        found = []
        for first, count in chunks(len(mine), CHUNK):
            ids = mine[first : first + count]
            noise = image_noise(self.vae, self.seed, Purpose.VALIDATION, ids)(0, 1)
            found.append((torch.from_numpy(self.images[ids]).to(self.vae.device), noise))
        return found

    def _observed(self, images: Tensor) -> Tensor:
        return as_observed(images, self.vae.likelihood.observes, self.levels, self.vae.dtype)


class EarlyStopping:
    """The parameters of the best epoch so far; of none, where the specification has no patience."""

    def __init__(self, spec: TrainingSpec) -> None:
        self.spec = spec
        self.best: dict[str, Any] | None = None

    def look(self, epoch: int, objective: float, values: Tensor) -> None:
        """Keep the parameters after an epoch if it is the best.

        Args:
            objective: of the validation images, -distortion - beta x rate in nats.
        """
        if self.spec.patience is None or epoch < self.spec.warmup_epochs:
            return  # while beta rises, the parameters are those of another objective
        if self.best is None or objective > self.best["objective"]:
            kept = values.detach().cpu().clone()
            self.best = {"objective": objective, "epoch": epoch, "values": kept}

    def is_due(self, epochs: int) -> bool:
        """Whether to stop after so many epochs."""
        if self.spec.patience is None or self.best is None:
            return False
        return epochs - self.best["epoch"] >= self.spec.patience
