"""The training of one VAE as a state that advances step by step and can be saved at any of them."""

import math
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from elboflow.vae.data import TrainingImages, as_observed, rank_slice
from elboflow.vae.measure.estimate import chunks, image_noise
from elboflow.vae.model.networks import VAE
from elboflow.vae.noise import Purpose, normals, words
from elboflow.vae.spec import TrainingSpec
from elboflow.vae.training.objectives import best_elbo
from elboflow.vae.training.step import (
    NOTHING,
    Allreduce,
    FlatParameters,
    Sums,
    accumulate,
    beta_at,
    global_step,
    learning_rate_at,
)

VALIDATION_CHUNK = 500  # images at once
# An accelerator works through this many steps, at most of so many pixels, before it is looked at.
STEPS_AHEAD, PIXELS_AHEAD = 50, 1 << 24


class Diverged(ArithmeticError):
    """The objective or its gradient is not finite."""


class Training:
    """One rank's view of a training; every rank holds the same parameters and totals.

    Args:
        grey: training images, uint8, shape (images, D), of grey levels 0 .. levels.
        validation: uint8, shape (images, D): frozen binary images where the likelihood observes
            binary ones, else grey levels.
        allreduce: sums a tensor over all ranks, in place.
    """

    def __init__(
        self,
        vae: VAE,
        spec: TrainingSpec,
        seed: int,
        grey: np.ndarray,
        levels: int,
        validation: np.ndarray,
        rank: int,
        size: int,
        allreduce: Allreduce,
    ) -> None:
        self.vae, self.spec, self.seed, self.allreduce = vae, spec, seed, allreduce
        self.images = TrainingImages(
            grey, levels, seed, spec.batch_size, vae.device, vae.likelihood.observes
        )
        self.epoch_images = len(grey)
        self.share = rank_slice(spec.batch_size, rank, size)
        vae.likelihood.require_support(self._observed(torch.from_numpy(validation)))
        self.validation, self.rank, self.size = validation, rank, size
        self.flat = FlatParameters(vae)
        on_cpu = vae.device.type == "cpu"
        self.optimiser = torch.optim.Adam(
            [self.flat.values],
            lr=spec.learning_rate,
            betas=(spec.adam_beta1, spec.adam_beta2),
            eps=spec.adam_epsilon,
            fused=not on_cpu,
        )
        batch_pixels = max(self.share.stop - self.share.start, 1) * grey.shape[1]
        ahead = min(STEPS_AHEAD, max(PIXELS_AHEAD // batch_pixels, 1))
        self.steps_ahead = 1 if on_cpu else ahead
        self._drawn_from = -1  # the first step of the batches that are drawn already
        self._pending: list[Tensor] = []  # what steps returned and nobody has looked at
        self.steps = -(-spec.epochs * len(grey) // spec.batch_size)
        self.step = 0
        self.sums, self.norms, self.epoch_steps = NOTHING, 0.0, 0
        self.metrics: list[dict[str, float]] = []
        self.best: dict[str, Any] | None = None

    @property
    def passes(self) -> float:
        """Passes over the training images so far."""
        return self.step * self.spec.batch_size / self.epoch_images

    @property
    def finished(self) -> bool:
        return self.step >= self.steps or self._stopped_early()

    @property
    def kept_epoch(self) -> int:
        """The epoch whose parameters the model keeps."""
        return self.best["epoch"] if self.best else len(self.metrics)

    @property
    def summary(self) -> str:
        """The last epoch in a few words, for progress lines."""
        if not self.metrics:
            return ""
        last = self.metrics[-1]
        return f"epoch {last['epoch']:.0f}, validation ELBO {last['validation_elbo_nats']:.2f} nats"

    def advance(self) -> bool:
        """Take one step on the global batch.

        Returns:
            Whether an epoch ended with this step.

        Raises:
            Diverged: on every rank alike. On a CPU the parameters are those before the step; an
                accelerator is some steps ahead by then, none of which can have been saved.
        """
        beta = beta_at(self.spec, self.passes)
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate_at(self.spec, self.passes)
        x, noise = self._batch()
        accumulate(self.vae, self.spec, self.flat, x, noise, beta)
        self._pending.append(global_step(self.spec, self.flat, self.allreduce))
        ended = (self.step + 1) * self.spec.batch_size % self.epoch_images < self.spec.batch_size
        if ended or len(self._pending) >= self.steps_ahead:
            self._look(self.step)
        self.optimiser.step()
        self.step += 1
        return ended

    def _look(self, last: int) -> None:
        """Take in what the steps up to `last` have returned."""
        pending, self._pending = self._pending, []
        rows = torch.stack(pending).tolist() if pending else []
        for step, (objective, rate, distortion, norm) in enumerate(rows, last - len(rows) + 1):
            if not (math.isfinite(objective) and math.isfinite(norm)):
                raise Diverged(f"the objective or its gradient is not finite at step {step + 1}")
            self.sums += Sums(objective, rate, distortion, self.spec.batch_size)
            self.norms += norm
            self.epoch_steps += 1

    def end_epoch(self) -> None:
        """Validate, add a row to the metrics, and remember the best parameters.

        Raises:
            Diverged: the validation ELBO is not finite.
        """
        rate, distortion = self._validate()
        if not math.isfinite(rate + distortion):
            epoch = len(self.metrics) + 1
            raise Diverged(f"the validation ELBO is not finite after epoch {epoch}")
        count = self.sums.images
        train_rate, train_distortion = self.sums.rate / count, self.sums.distortion / count
        self.metrics.append(
            {
                "epoch": len(self.metrics) + 1,
                "step": self.step,
                "learning_rate": self.optimiser.param_groups[0]["lr"],
                "beta": beta_at(self.spec, self.passes),
                "train_objective_nats": self.sums.objective / count,
                "train_elbo_nats": -train_distortion - train_rate,
                "train_rate_nats": train_rate,
                "train_distortion_nats": train_distortion,
                "gradient_norm": self.norms / self.epoch_steps,
                "validation_elbo_nats": -distortion - rate,
                "validation_rate_nats": rate,
                "validation_distortion_nats": distortion,
            }
        )
        self.sums, self.norms, self.epoch_steps = NOTHING, 0.0, 0
        self._keep_best(-distortion - self.spec.beta * rate)

    def state(self) -> dict[str, Any]:
        """All that is needed to go on exactly: tensors, numbers, strings, lists and dicts.

        Raises:
            Diverged: as `advance` does; there is nothing to save then.
        """
        self._look(self.step - 1)
        return {
            "step": self.step,
            "values": self.flat.values.detach().cpu(),
            "optimiser": self.optimiser.state_dict(),
            "sums": [self.sums.objective, self.sums.rate, self.sums.distortion, self.sums.images],
            "norms": self.norms,
            "epoch_steps": self.epoch_steps,
            "metrics": self.metrics,
            "best": self.best,
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Go on from a state of the same specification, on any number of ranks."""
        self.step = state["step"]
        with torch.no_grad():
            self.flat.values.copy_(state["values"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.sums = Sums(*state["sums"])
        self.norms, self.epoch_steps = state["norms"], state["epoch_steps"]
        self.metrics, self.best = state["metrics"], state["best"]

    def kept_parameters(self) -> dict[str, Tensor]:
        """The model's state_dict: of the best epoch if there is early stopping, else the last."""
        values = self.best["values"] if self.best else self.flat.values.detach().cpu()
        constants = {
            name: value.cpu()
            for name, value in self.vae.state_dict().items()
            if name not in self.flat.places
        }
        return {**self.flat.by_name(values), **constants}

    def metrics_csv(self) -> str:
        """The metrics as CSV: every digit of a float64, so that equal files mean equal runs."""
        lines = [",".join(self.metrics[0])]
        lines += [",".join(repr(value) for value in row.values()) for row in self.metrics]
        return "\n".join(lines) + "\n"

    def _batch(self) -> tuple[Tensor, Tensor]:
        """This rank's images (B, D) and noise (K, B, L) of the current step."""
        ahead = self.step - self._drawn_from
        if self._drawn_from < 0 or not 0 <= ahead < self.steps_ahead:
            self._drawn, self._drawn_from, ahead = self._draw(), self.step, 0
        x, noise = self._drawn
        return self._observed(x[ahead]), noise[ahead].transpose(0, 1)

    def _observed(self, images: Tensor) -> Tensor:
        observes = self.vae.likelihood.observes
        return as_observed(images, observes, self.images.levels, self.vae.dtype)

    def _draw(self) -> tuple[Tensor, Tensor]:
        """Images and noise of the next steps, shapes (steps, B, D) and (steps, B, K, L)."""
        samples, latent, steps = self.spec.training_samples, self.vae.latent_dim, self.steps_ahead
        count = self.share.stop - self.share.start
        firsts = [
            (0, step * self.spec.batch_size + self.share.start)
            for step in range(self.step, self.step + steps)
        ]
        raw = words(self.seed, Purpose.TRAINING, firsts, count, samples * latent, self.vae.device)
        noise = normals(raw, self.vae.dtype).view(steps, count, samples, latent)
        return self.images.batches(self.step, steps, self.share), noise

    @cached_property
    def _validation_chunks(self) -> list[tuple[Tensor, Tensor]]:
        """This rank's validation images, uint8 (B, D), and their noise (1, B, L)."""
        mine = list(range(self.rank, len(self.validation), self.size))
        found = []
        for first, count in chunks(len(mine), VALIDATION_CHUNK):
            ids = mine[first : first + count]
            noise = image_noise(self.vae, self.seed, Purpose.VALIDATION, ids)(0, 1)
            found.append((torch.from_numpy(self.validation[ids]).to(self.vae.device), noise))
        return found

    @torch.no_grad()
    def _validate(self) -> tuple[float, float]:
        totals = torch.zeros(3, dtype=torch.float64, device=self.vae.device)
        for images, noise in self._validation_chunks:
            x = self._observed(images)
            bound = best_elbo(self.vae, x, noise)
            totals[:2] += torch.stack([bound.rate, bound.distortion]).double().sum(1)
            totals[2] += len(x)
        self.allreduce(totals)
        rate, distortion, counted = totals.tolist()
        if counted != len(self.validation):
            raise AssertionError(f"{counted:.0f} validation images, not {len(self.validation)}")
        return rate / counted, distortion / counted

    def _keep_best(self, objective: float) -> None:
        """Args: objective: of the validation images, -distortion - beta x rate in nats."""
        if self.spec.patience is None or len(self.metrics) < self.spec.warmup_epochs:
            return  # while beta rises, the parameters are those of another objective
        if self.best is None or objective > self.best["objective"]:
            values = self.flat.values.detach().cpu().clone()
            self.best = {"objective": objective, "epoch": len(self.metrics), "values": values}

    def _stopped_early(self) -> bool:
        if self.spec.patience is None or self.best is None:
            return False
        return len(self.metrics) - self.best["epoch"] >= self.spec.patience
