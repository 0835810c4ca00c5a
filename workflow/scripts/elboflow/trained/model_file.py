"""The files of a trained model: weights in model.safetensors, all else in model.json beside it.

Neither has a clock or a host in it: the same training gives the same bytes.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
import torch
from torch import Tensor

from elboflow.files.whole import sha256, verify
from elboflow.vae.checkpoint import CheckpointError
from elboflow.vae.data import DataError, ImageShape, Manifest
from elboflow.vae.model.make import make_model
from elboflow.vae.model.model import Model
from elboflow.vae.spec import SpecError, TrainingSpec, parse

FORMAT = 1
AGAIN = "train it again"


@dataclass(frozen=True)
class SavedModel:
    """A trained model as its files have it.

    about: the whole of model.json.
    """

    path: Path
    specification: TrainingSpec
    shape: ImageShape
    about: dict[str, Any]
    weights: dict[str, Tensor]

    @property
    def data_sha256(self) -> str:
        """Of the manifest of the data set that it was trained on."""
        return str(self.about["digests"]["data"])

    @property
    def binarisation_seed(self) -> int:
        """With which that data set has drawn its binary images."""
        return int(self.about["dataset"].get("binarisation_seed", 0))

    def build(self) -> Model:
        """The model itself; raises CheckpointError where weights and specification do not fit."""
        spec = _with_own_files(self.specification, self.path.parent)
        try:
            vae = make_model(spec, self.shape)
            vae.load_state_dict(self.weights)
            return vae.eval()
        except (SpecError, DataError):
            raise
        except Exception as error:  # of a specification with anything in it
            why = str(error).partition("\n")[0] or type(error).__name__
            raise CheckpointError(
                f"{self.path}: its weights are not of its specification ({why}); {AGAIN}"
            ) from error


def files_of(path: Path) -> tuple[Path, Path]:
    """The two files of a model, by the path of its weights."""
    return path, path.with_suffix(".json")


def model_files(
    path: Path, vae: Model, weights: Mapping[str, Tensor], manifest: Manifest, **about: Any
) -> dict[Path, bytes]:
    """What to write into the two files of a model.

    Args:
        weights: those of its state_dict that are kept, on the CPU.
        about: run, specification and seed; of a training, epoch and validation as well.
    """
    # The format knows no tensors that share memory.
    content = safetensors.torch.save({name: t.contiguous().clone() for name, t in weights.items()})
    size = [vae.shape.height, vae.shape.width, vae.shape.channels]
    document = {
        "format": FORMAT,
        **about,
        "dataset": manifest.about,
        "image_shape": size[: 2 if vae.shape.channels == 1 else 3],
        "levels": vae.shape.levels,
        "observes": vae.likelihood.observes,
        "latent_dim": vae.latent_dim,
        "noise": vae.noise,
        "versions": {"torch": torch.__version__, "numpy": np.__version__},
        "digests": {"weights": _sha256(content), "data": manifest.sha256},
    }
    text = json.dumps(document, indent=2) + "\n"
    return dict(zip(files_of(path), (content, text.encode()), strict=True))


def read_model(path: Path) -> SavedModel:
    """Read the files of a model, by the path of its weights.

    Raises:
        CheckpointError: they are damaged, do not belong together or are of another version.
        OSError: one of them cannot be read.
    """
    if path.suffix == ".pt":
        raise CheckpointError(f"{path}: of an earlier version, without the images' shape; {AGAIN}")
    path, description = files_of(path)
    verify(path)
    verify(description)
    content = path.read_bytes()
    try:
        about = json.loads(description.read_bytes())
        if about["format"] != FORMAT:
            raise CheckpointError(f"{description}: of another version of ELBOFlow; {AGAIN}")
        if about["digests"]["weights"] != _sha256(content):
            raise CheckpointError(
                f"{path}: damaged, or of another model than {description.name}; {AGAIN}"
            )
        numbers = [*(*about["image_shape"], 1)[:3], about["levels"]]
        if not all(type(number) is int and number > 0 for number in numbers):
            raise ValueError("image_shape or levels")
        # Keys that came later have the values that were without them.
        values = {**asdict(TrainingSpec()), **about["specification"]}
        specification = parse(TrainingSpec, values, str(description))
        weights = safetensors.torch.load(content)
        saved = SavedModel(path, specification, ImageShape(*numbers), about, weights)
        _ = saved.data_sha256, saved.binarisation_seed
        return saved
    except (CheckpointError, SpecError, OSError):
        raise
    except Exception as error:  # json and safetensors raise many types
        raise CheckpointError(
            f"{description}: unreadable ({type(error).__name__}); {AGAIN}"
        ) from error


def _with_own_files(spec: TrainingSpec, folder: Path) -> TrainingSpec:
    """The same with the files of a user's model where all are: at their paths, or in a folder.

    Raises:
        SpecError: one is missing, or is not what the model was trained with.
    """

    def beside(name: str) -> str:
        return str(folder / Path(name).name)

    files = {name: known for name, known in spec.files.items() if name != spec.weights}
    for place in (str, beside):
        found = {place(name): known for name, known in files.items()}
        if all(_is_file_of(Path(name), known) for name, known in found.items()):
            path, colon, name = (spec.model or "").rpartition(":")
            return replace(spec, files=found, model=place(path) + colon + name if colon else None)
    others = [name for name, known in files.items() if not _is_file_of(Path(name), known)]
    raise SpecError(
        f"{others[0]}: not what the model was trained with (sha256 {files[others[0]][:16]} …): put "
        f"that file there again, or all of {', '.join(files)} into {folder}; or {AGAIN}"
    )


def _is_file_of(path: Path, known: str) -> bool:
    return path.is_file() and sha256(path) == known


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
