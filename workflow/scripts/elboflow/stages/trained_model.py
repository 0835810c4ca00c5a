"""What the programs that measure a trained model share: flags, model, data and noise."""

import argparse
from pathlib import Path

import numpy as np
import torch

from elboflow.trained.model_file import read_model
from elboflow.vae.data import DataError, Manifest, as_observed, read_manifest
from elboflow.vae.model.model import Model
from elboflow.vae.spec import EvaluationSpec, TrainingSpec


def add_inputs(parser: argparse.ArgumentParser) -> None:
    """The flags of what a program measures: a trained model, on the data that it was trained on."""
    parser.add_argument(
        "--evaluation", type=Path, required=True, help="what the stage reads of a run"
    )
    parser.add_argument("--model", type=Path, required=True, help="model.safetensors of train")
    parser.add_argument("--data", type=Path, required=True, help="folder of the data sets")
    parser.add_argument("--seed", type=int, required=True, help="the training's seed")
    parser.add_argument("--state", type=Path, required=True, help="folder of finished images")
    parser.add_argument(
        "--progress", type=Path, required=True, help="folder in which it tells how far it is"
    )


def load_vae(path: Path, data: Path) -> tuple[Model, TrainingSpec, Manifest]:
    """Rebuild the model from its files alone, and find the data that it was trained on."""
    saved = read_model(path)
    manifest = read_manifest(data / saved.specification.dataset)
    if saved.data_sha256 != manifest.sha256:
        raise DataError(f"{path}: was trained on other data than the manifest's; train it again")
    return saved.build(), saved.specification, manifest


def observed(vae: Model, images: np.ndarray) -> torch.Tensor:
    """Stored images as the model's likelihood sees them, on its device."""
    stored = torch.from_numpy(images).to(vae.device)
    return as_observed(stored, vae.likelihood.observes, vae.shape.levels, vae.dtype)


def noise_seed(spec: EvaluationSpec, seed: int) -> int:
    """The seed of all noise. Runs of one seed share it, so that differences are paired."""
    return (spec.evaluation_seed << 32) + seed
