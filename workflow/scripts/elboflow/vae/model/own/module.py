"""The class that a user's specification names: found, imported, and built."""

import importlib.util
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import nn

from elboflow.vae.spec import SpecError, TrainingSpec

PACKAGE = str(Path(__file__).parents[3])
LATENT = ("prior", "posterior", "likelihood")


class OwnModelError(SpecError):
    """A model file that is wrong, in one line that says what and where."""


def build(spec: TrainingSpec, seed: int) -> nn.Module:
    """The user's module, whose random weights are those of the seed."""
    found = _class(spec)
    with torch.random.fork_rng(devices=[]), told(f"{spec.model}: building it"):
        torch.manual_seed(seed)
        built = found(**spec.model_options)
    if not isinstance(built, nn.Module):
        raise OwnModelError(f"{spec.model}: is no torch.nn.Module")
    missing = [name for name in LATENT if not callable(getattr(built, name, None))]
    if missing and not is_exact(built):
        raise OwnModelError(
            f"{spec.model}: has no method {' and no '.join(missing)}; a model has "
            "prior(), posterior(x) and likelihood(z), or log_prob(x) where it has no latents"
        )
    if not any(True for _ in built.parameters()):
        raise OwnModelError(f"{spec.model}: has no parameters")
    return built


def is_exact(module: nn.Module) -> bool:
    """Whether it has no latents, and says log p(x) itself."""
    has_latents = any(callable(getattr(module, name, None)) for name in LATENT)
    return callable(getattr(module, "log_prob", None)) and not has_latents


def _class(spec: TrainingSpec) -> Any:
    path, _, name = str(spec.model).rpartition(":")
    module = _imported(Path(path).resolve(), str(spec.model))
    if not hasattr(module, name):
        raise OwnModelError(f"{spec.model}: the file has no class {name}")
    return getattr(module, name)


def _imported(path: Path, where: str) -> ModuleType:
    """The file as a module, which may import what lies beside it."""
    name = f"elboflow_own_{path.stem}"
    known = sys.modules.get(name)
    if known is not None and known.__file__ == str(path):
        return known
    found = importlib.util.spec_from_file_location(name, path)
    if not path.is_file() or found is None or found.loader is None:
        raise OwnModelError(f"{where}: there is no Python file {path}")
    module = importlib.util.module_from_spec(found)
    sys.path.insert(0, str(path.parent))
    try:
        with told(f"{where}: importing it"):
            sys.modules[name] = module  # where pickles and dataclasses look for their classes
            found.loader.exec_module(module)
    except OwnModelError:
        del sys.modules[name]
        raise
    finally:
        sys.path.remove(str(path.parent))
    return module


@contextmanager
def told(doing: str) -> Iterator[None]:
    """Say in one line what a user's code raised, and where in it."""
    try:
        yield
    except OwnModelError:
        raise
    except Exception as error:
        said = (str(error).strip() or "no message").splitlines()[0]
        raise OwnModelError(
            f"{doing} failed: {type(error).__name__}: {said}{_place(error)}"
        ) from error


def _place(error: Exception) -> str:
    """The last line of code outside of all libraries that led to an error."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if "site-packages" not in f.filename and PACKAGE not in f.filename]
    return f" ({own[-1].filename}, line {own[-1].lineno})" if own else ""
