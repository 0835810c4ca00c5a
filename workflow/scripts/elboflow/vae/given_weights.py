"""Weights that were trained elsewhere: read without running code, and put into a model strictly."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from elboflow.vae.spec import SpecError

# Under which files of a whole training keep the weights (Lightning, pythae and many, ours).
ENTRIES = ("state_dict", "model_state_dict", "model")
MOST_NAMES = 4  # in a message


class WeightsError(SpecError):
    """Weights that cannot be read, or are of another model; the message is one line."""


def load_weights(model: nn.Module, path: Path) -> None:
    """Put all weights of a file into a model, whose every parameter and buffer it must have.

    Raises:
        WeightsError: the file is no such, or its names, shapes or numbers do not fit.
    """
    found, wanted = read_weights(path), model.state_dict()
    shaped = [name for name in wanted if name in found and found[name].shape != wanted[name].shape]
    complaints = [
        _names("missing", (name for name in wanted if name not in found)),
        _names("unknown to the model", (name for name in found if name not in wanted)),
        _names(
            "of another shape",
            (f"{name} {_shape(found[name])} for {_shape(wanted[name])}" for name in shaped),
        ),
        _names("not finite", (name for name in found if not bool(found[name].isfinite().all()))),
    ]
    if any(complaints):
        raise WeightsError(f"{path}: parameters {'; '.join(filter(None, complaints))}")
    model.load_state_dict(found)


def read_weights(path: Path) -> dict[str, Tensor]:
    """The tensors of a file by their names; raises WeightsError."""
    try:
        if path.suffix == ".safetensors":
            content: Any = load_file(path)
        else:
            content = torch.load(path, weights_only=True, map_location="cpu")
    except Exception as error:  # torch raises many types for damaged archives
        said = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
        raise WeightsError(f"{path}: cannot be read as tensors by their names ({said})") from error
    for entry in ENTRIES:
        if isinstance(content, dict) and isinstance(content.get(entry), dict):
            content = content[entry]
    if not isinstance(content, dict) or not all(isinstance(v, Tensor) for v in content.values()):
        raise WeightsError(f"{path}: has no tensors by their names; save model.state_dict()")
    return {str(name): tensor for name, tensor in content.items()}


def _names(what: str, names: Iterable[str]) -> str:
    """What is wrong with some parameters, with the first of their names; empty where with none."""
    named = list(names)
    more = ", …" if len(named) > MOST_NAMES else ""
    return f"{what}: {len(named)} ({', '.join(named[:MOST_NAMES])}{more})" if named else ""


def _shape(tensor: Tensor) -> str:
    return "x".join(map(str, tensor.shape)) or "scalar"
