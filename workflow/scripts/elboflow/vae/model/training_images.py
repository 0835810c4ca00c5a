"""Training images as a model observes them, in one fixed binarisation where it observes these."""

import numpy as np
import torch
from torch import Tensor

from elboflow.vae.data import as_observed
from elboflow.vae.model.model import Model
from elboflow.vae.noise import Purpose, binarised


def spread(images: np.ndarray, most: int) -> np.ndarray:
    """So many of a split's images, from all over it: published ones may not be shuffled."""
    count = min(len(images), most)
    return images[:: len(images) // count][:count]


def fixed(vae: Model, seed: int, training: np.ndarray) -> Tensor:
    """Training images of grey levels, (N, D), as they are stored or in one fixed binarisation."""
    grey = torch.from_numpy(np.ascontiguousarray(training)).to(vae.device)
    if vae.likelihood.observes != "binary":
        return grey
    return binarised(grey, vae.shape.levels, seed, Purpose.TRAINING_IMAGES)


def observed_training(vae: Model, seed: int, training: np.ndarray, count: int) -> Tensor:
    """Training images from all over their split, as the likelihood observes them, shape (n, D)."""
    images = fixed(vae, seed, spread(training, count))
    return as_observed(images, vae.likelihood.observes, vae.shape.levels, vae.dtype)
