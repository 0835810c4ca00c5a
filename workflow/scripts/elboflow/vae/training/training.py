"""The training of one VAE as a state that advances step by step and can be saved at any of them."""

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from elboflow.vae.data import rank_slice
from elboflow.vae.model.model import Model
from elboflow.vae.spec import TrainingSpec
from elboflow.vae.training.batches import Batches
from elboflow.vae.training.compiled import compiled_gradient, is_worth_compiling
from elboflow.vae.training.flat_parameters import FlatParameters
from elboflow.vae.training.gradient import Allreduce, eager_gradient
from elboflow.vae.training.steps import Diverged, Steps
from elboflow.vae.training.validation import EarlyStopping, Validation


def total_steps(spec: TrainingSpec, images: int) -> int:
    """Steps on global batches that show `images` training images `epochs` times, at most.

    None with weights that were trained elsewhere.
    """
    return 0 if spec.weights else -(-spec.epochs * images // spec.batch_size)


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
        vae: Model,
        spec: TrainingSpec,
        seed: int,
        grey: np.ndarray,
        levels: int,
        validation: np.ndarray,
        rank: int,
        size: int,
        allreduce: Allreduce,
    ) -> None:
        self.vae, self.spec = vae, spec
        batches = Batches(vae, spec, seed, grey, levels, rank_slice(spec.batch_size, rank, size))
        self.validation = Validation(vae, seed, validation, levels, rank, size, allreduce)
        self.flat = FlatParameters(vae)
        self.steps = total_steps(spec, len(grey))
        if is_worth_compiling(spec, self.steps, vae.device):
            gradient = compiled_gradient(vae, spec, self.flat, *batches.of(0))
        else:
            gradient = eager_gradient(vae, spec)
        self.taken = Steps(spec, self.flat, batches, gradient, allreduce)
        self.metrics: list[dict[str, Any]] = []
        self.early_stopping = EarlyStopping(spec)

    @property
    def step(self) -> int:
        """Steps that are done."""
        return self.taken.done

    @property
    def finished(self) -> bool:
        return self.step >= self.steps or self.early_stopping.is_due(len(self.metrics))

    @property
    def kept_epoch(self) -> int:
        """The epoch whose parameters the model keeps."""
        best = self.early_stopping.best
        return int((best or self.metrics[-1])["epoch"])

    @property
    def kept_validation(self) -> dict[str, float]:
        """What was measured on the validation images after that epoch, in nats per image."""
        row = next(row for row in self.metrics if row["epoch"] == self.kept_epoch)
        prefix = "validation_"
        return {k.removeprefix(prefix): v for k, v in row.items() if k.startswith(prefix)}

    @property
    def summary(self) -> str:
        """The last epoch in a few words, for progress lines."""
        if not self.metrics:
            return ""
        last = self.metrics[-1]
        return f"epoch {last['epoch']:.0f}, validation ELBO {last['validation_elbo_nats']:.2f} nats"

    def advance(self) -> bool:
        """Take one step on the global batch, as Steps.advance; whether an epoch ended with it."""
        return self.taken.advance()

    def end_epoch(self) -> None:
        """Validate, add a row to the metrics, and remember the best parameters.

        Weights that were trained elsewhere have one such epoch, 0, without steps.

        Raises:
            Diverged: the validation ELBO is not finite.
        """
        epoch = 0 if self.spec.weights else len(self.metrics) + 1
        rate, distortion = self.validation.rate_and_distortion()
        if not math.isfinite(rate + distortion):
            raise Diverged(f"the validation ELBO is not finite after epoch {epoch}")
        self.metrics.append(
            {
                "epoch": epoch,
                "step": self.step,
                **self.taken.means(),
                "validation_elbo_nats": -distortion - rate,
                "validation_rate_nats": rate,
                "validation_distortion_nats": distortion,
            }
        )
        self.taken.begin_epoch()
        self.early_stopping.look(epoch, -distortion - self.spec.beta * rate, self.flat.values)

    def state(self) -> dict[str, Any]:
        """All that is needed to go on exactly: tensors, numbers, strings, lists and dicts.

        Raises:
            Diverged: as `advance` does; there is nothing to save then.
        """
        best = self.early_stopping.best
        return {**self.taken.state(), "metrics": self.metrics, "best": best}

    def load_state(self, state: dict[str, Any]) -> None:
        """Go on from a state of the same specification, on any number of ranks."""
        self.taken.load_state(state)
        self.metrics, self.early_stopping.best = state["metrics"], state["best"]

    def kept_parameters(self) -> dict[str, Tensor]:
        """The model's state_dict: of the best epoch if there is early stopping, else the last."""
        best = self.early_stopping.best
        last = self.flat.values.detach().clone()
        with torch.no_grad():
            if best:
                self.flat.values.copy_(best["values"])
            kept = {name: value.cpu().clone() for name, value in self.vae.state_dict().items()}
            self.flat.values.copy_(last)
        return kept

    def metrics_csv(self) -> str:
        """The metrics as CSV: every digit of a float64, so that equal files mean equal runs.

        What an epoch without steps lacks is left empty.
        """
        lines = [",".join(self.metrics[0])]
        for row in self.metrics:
            lines.append(",".join("" if value is None else repr(value) for value in row.values()))
        return "\n".join(lines) + "\n"
