"""Load a trained model from its files, wherever they lie."""

import errno
import os
from pathlib import Path

import torch

from elboflow.trained.model import TrainedModel
from elboflow.trained.model_file import read_model

NAME = "model.safetensors"


def load(path: str | os.PathLike[str], device: str | torch.device = "cpu") -> TrainedModel:
    """A trained model, ready for use.

    One of a user's own class runs the Python file of that class, which is looked for at its path
    and then beside the model, and must be what the model was trained with.

    Args:
        path: model.safetensors, or the folder that it lies in with its model.json: that of a run's
            seed, results/runs/RUN/seed1.
        device: where it computes.

    Raises:
        FileNotFoundError: there is no model.
        ValueError: it is damaged, of another version, or there is no such device.
    """
    weights = Path(path) / NAME if Path(path).is_dir() else Path(path)
    weights = weights.with_suffix(".safetensors") if weights.suffix == ".json" else weights
    former = weights.with_name("model.pt")
    if not weights.exists() and former.exists():
        weights = former
    if not weights.exists():
        why = f"no model there; give {NAME} or its folder, results/runs/RUN/seed1 for instance"
        raise FileNotFoundError(errno.ENOENT, why, str(weights))
    saved = read_model(weights)
    try:
        vae = saved.build().to(device)
    except (RuntimeError, AssertionError) as error:  # torch has both for a device that is missing
        why = str(error).partition("\n")[0]
        raise ValueError(f"device {str(device)!r} cannot be used: {why}") from error
    return TrainedModel(vae, saved.specification, saved.binarisation_seed)
