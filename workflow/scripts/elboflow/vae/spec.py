"""The frozen specification of a run, as resolve_run writes it and train and evaluate read it.

The defaults of these keys stand here alone: the schema of the configuration takes them over, and a
notebook or a test says what it wants otherwise, `TrainingSpec(latent_dim=2)`. Another default
retrains only what relied on it, since the file of a run has the value of every key (see parse).
"""

import json
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

from elboflow.files.whole import sha256, verify


class SpecError(ValueError):
    """A specification that is unreadable or has missing, unknown or mistyped keys."""


@dataclass(frozen=True)
class TrainingSpec:
    """All that decides what is trained; meanings, units and ranges are in config/README.md."""

    dataset: str = "digits"
    likelihood: str = "bernoulli"
    posterior: str = "gaussian"
    prior: str = "standard_normal"
    latent_dim: int = 10
    encoder_layers: list[int] = field(default_factory=lambda: [200, 200])
    decoder_layers: list[int] = field(default_factory=lambda: [200, 200])
    activation: str = "tanh"
    objective: str = "elbo"
    kl: str = "analytic"
    training_samples: int = 1
    beta: float = 1
    warmup_epochs: float = 0
    schedule: str = "constant"
    learning_rate: float = 0.001
    gradient_clip: float | None = None
    batch_size: int = 100
    epochs: int = 100
    patience: int | None = None
    precision: str = "float32"
    deterministic: bool = True
    compile: bool = True
    adam_beta1: float = 0.9
    adam_beta2: float = 0.999
    adam_epsilon: float = 1e-8
    flow_transforms: int = 2
    flow_hidden: list[int] = field(default_factory=lambda: [100])
    prior_components: int = 50
    gradient: str = "pathwise"
    gumbel_temperature: float = 0.5
    free_bits: float = 0
    likelihood_scale: float | None = None
    scale_floor: float = 0.001
    second_latent_dim: int | None = None
    second_layers: list[int] = field(default_factory=lambda: [100, 100])
    channels: list[int] = field(default_factory=list)
    model: str | None = None
    model_options: dict[str, Any] = field(default_factory=dict)
    observes: str | None = None
    weights: str | None = None
    files: dict[str, str] = field(default_factory=dict)


# What is filled in when a run is resolved: sha256 of the user's own files by their paths.
NO_KEYS = ("files",)
# What does not apply to a user's own model, which says these itself.
OF_BUILT_IN = (
    *("likelihood", "posterior", "prior", "latent_dim", "second_latent_dim", "second_layers"),
    *("encoder_layers", "decoder_layers", "channels", "activation", "flow_transforms"),
    *("flow_hidden", "prior_components", "likelihood_scale", "scale_floor", "gumbel_temperature"),
)
# What does not apply to a built-in model.
OF_OWN = ("model", "model_options", "observes")
# What does not apply to weights that were trained elsewhere.
OF_TRAINING = (
    *("objective", "kl", "training_samples", "beta", "warmup_epochs", "schedule", "learning_rate"),
    *("gradient_clip", "batch_size", "epochs", "patience", "compile", "adam_beta1", "adam_beta2"),
    *("adam_epsilon", "gradient", "gumbel_temperature", "free_bits"),
)


@dataclass(frozen=True)
class EvaluationSpec:
    """All that decides how a trained model is measured."""

    elbo_samples: int = 100
    importance_samples: int = 1000
    chunk_images: int = 20
    chunk_samples: int = 200
    active_unit_threshold: float = 0.01
    evaluation_seed: int = 0
    figure_images: int = 10


@dataclass(frozen=True)
class BoundsSpec(EvaluationSpec):
    """All that decides how annealed importance sampling bounds log p(x), beside the above."""

    ais_images: int = 20
    ais_temperatures: int = 100
    ais_chains: int = 16
    ais_leapfrog_steps: int = 3
    ais_start: str = "posterior"
    ais_chunk_images: int = 10


# By what the keys decide. BoundsSpec has those of EvaluationSpec as well, which comes later and
# claims them; what none of these has is the workflow's own.
PARTS = {"training": TrainingSpec, "ais_bounds": BoundsSpec, "evaluation": EvaluationSpec}

Spec = TypeVar("Spec", TrainingSpec, EvaluationSpec, BoundsSpec)


def parse(kind: type[Spec], values: Any, where: str) -> Spec:
    """Build a spec from a mapping that must have exactly its keys."""
    expected = {field.name for field in fields(kind)}
    found = set(values) if isinstance(values, dict) else set()
    if found != expected:
        odd = ", ".join(sorted(expected ^ found))
        raise SpecError(f"{where}: missing or unknown keys: {odd}; run resolve_run again")
    return kind(**values)


def verify_files(spec: TrainingSpec) -> None:
    """Refuse files of the user's that are no longer those that the run was resolved with."""
    for name, expected in spec.files.items():
        try:
            edited = sha256(Path(name)) != expected
        except OSError as error:
            raise SpecError(f"{name}: cannot be read ({error.strerror}); put it back") from error
        if edited:
            raise SpecError(f"{name}: was edited since this run was planned; start Snakemake again")


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
