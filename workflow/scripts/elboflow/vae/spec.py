"""The frozen specification of a run, as resolve_run writes it and train and evaluate read it."""

import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

from elboflow.files.whole import verify


class SpecError(ValueError):
    """A specification that is unreadable or has missing, unknown or mistyped keys."""


@dataclass(frozen=True)
class TrainingSpec:
    """All that decides what is trained; meanings, units and ranges are in config/README.md."""

    dataset: str
    likelihood: str
    posterior: str
    prior: str
    latent_dim: int
    encoder_layers: list[int]
    decoder_layers: list[int]
    activation: str
    objective: str
    kl: str
    training_samples: int
    beta: float
    warmup_epochs: float
    schedule: str
    learning_rate: float
    gradient_clip: float | None
    batch_size: int
    epochs: int
    patience: int | None
    precision: str
    deterministic: bool
    adam_beta1: float
    adam_beta2: float
    adam_epsilon: float
    flow_transforms: int
    flow_hidden: list[int]
    prior_components: int
    gradient: str
    gumbel_temperature: float
    free_bits: float
    likelihood_scale: float | None
    scale_floor: float
    second_latent_dim: int | None
    second_layers: list[int]
    channels: list[int]


@dataclass(frozen=True)
class EvaluationSpec:
    """All that decides how a trained model is measured."""

    elbo_samples: int
    importance_samples: int
    chunk_images: int
    chunk_samples: int
    active_unit_threshold: float
    evaluation_seed: int
    figure_images: int


@dataclass(frozen=True)
class BoundsSpec(EvaluationSpec):
    """All that decides how annealed importance sampling bounds log p(x), beside the above."""

    ais_images: int
    ais_temperatures: int
    ais_chains: int
    ais_leapfrog_steps: int
    ais_start: str
    ais_chunk_images: int


Spec = TypeVar("Spec", TrainingSpec, EvaluationSpec, BoundsSpec)


def parse(kind: type[Spec], values: Any, where: str) -> Spec:
    """Build a spec from a mapping that must have exactly its keys."""
    expected = {field.name for field in fields(kind)}
    found = set(values) if isinstance(values, dict) else set()
    if found != expected:
        odd = ", ".join(sorted(expected ^ found))
        raise SpecError(f"{where}: missing or unknown keys: {odd}; run resolve_run again")
    return kind(**values)


def read_run(path: Path) -> tuple[str, dict[str, Any]]:
    """Read run.json or training.json.

    Returns:
        The run's name and the whole document.
    """
    verify(path)
    try:
        document = json.loads(path.read_text())
        return str(document["run"]), document
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SpecError(f"{path}: not a readable run specification ({error})") from error
