"""A trained model in use: encode, decode, reconstruct, sample and log p(x) of one's own images.

N = images, L = numbers of z, H, W, C = height, width and colours, D = H x W x C.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor

from elboflow.trained.images import (
    Array,
    Count,
    Images,
    Values,
    as_array,
    counted,
    given_back,
    whole_number,
)
from elboflow.trained.log_likelihood import LogLikelihood, log_likelihood, measured
from elboflow.vae.arithmetic import rounded_as
from elboflow.vae.data import DataError, as_observed
from elboflow.vae.measure.estimate import chunks
from elboflow.vae.model.model import Model
from elboflow.vae.model.simulation import FIRST_IMAGE, simulate
from elboflow.vae.spec import EvaluationSpec, TrainingSpec

PIXELS_AT_ONCE = 1 << 20  # that pass through the networks together
MOST_IMAGES, MOST_SAMPLES, LAST_SEED = 1 << 31, 1 << 31, (1 << 64) - 1


class TrainedModel:
    """A trained model, without the data set that it was trained on.

    Images are numpy arrays or tensors of shape (N, H, W), (N, H, W, C), (N, C, H, W) or (N, D):
    bool for black and white, integers for grey levels 0 .. `levels`, floats in [0, 1] for
    level / levels. What comes back is of the same kind, and on the same device.

    A model that observes binary images takes 0 and 1 as they are. Other images are binarised once,
    each pixel on with probability level / levels, by the seed of the data set and the place in the
    array: just as the test split is, so that its grey images become its very binary ones.

    Others raise ValueError, in a line that says what the model was trained on.

    Args:
        vae: the model, on its device.
        specification: what it was trained by.
        binarisation_seed: of its data set.
    """

    def __init__(self, vae: Model, specification: TrainingSpec, binarisation_seed: int = 0) -> None:
        self.vae, self.specification = vae, specification
        self.binarisation_seed = binarisation_seed

    @property
    def image_shape(self) -> tuple[int, ...]:
        """(H, W) of grey images, (H, W, C) of colour."""
        shape = self.vae.shape
        size = (shape.height, shape.width)
        return size if shape.channels == 1 else (*size, shape.channels)

    @property
    def levels(self) -> int:
        """The highest grey level."""
        return self.vae.shape.levels

    @property
    def latent_dim(self) -> int:
        """Numbers of z, L."""
        return self.vae.latent_dim

    @property
    def observes(self) -> str:
        """What x is: "binary", "unit" (level / levels, a density) or "levels"."""
        return self.vae.likelihood.observes

    def encode(self, images: Values, progress: Count | None = None) -> Values:
        """The means of q(z | x), shape (N, L)."""
        self._require_latents("encode")
        with self._computing():
            taken = self._taken(images)
            means = [self.vae.encode(x).mean for x in counted(self._batches(taken), progress)]
            return given_back(torch.cat(means), images)

    def decode(self, z: Values, progress: Count | None = None) -> Values:
        """The mean images E[x | z] of z, (N, L), in [0, 1]: shape (N, H, W) or (N, H, W, C)."""
        self._require_latents("decode")
        with self._computing():
            pieces = counted(self._latent(z).split(self._at_once), progress)
            means = torch.cat([self._mean(some) for some in pieces])
            return given_back(means.view(-1, *self.image_shape), z)

    def reconstruct(self, images: Values, progress: Count | None = None) -> Values:
        """The mean images of the means of q(z | x), in [0, 1], of the shape of the images."""
        self._require_latents("reconstruct")
        with self._computing():
            taken = self._taken(images)
            batches = counted(self._batches(taken), progress)
            means = [self._mean(self.vae.encode(x).mean) for x in batches]
            return taken.like_given(torch.cat(means))

    def sample(
        self, count: int, seed: int = 0, mean: bool = False, progress: Count | None = None
    ) -> Array:
        """Images x ~ p(x) as the model observes them, shape (count, H, W) or (count, H, W, C).

        Image i depends on seed and i alone; of a user's class that draws by torch's generator, on
        the count as well.

        Args:
            mean: whether to give E[x | z], in [0, 1], of the same z ~ p(z) instead.
        """
        count, seed = (
            whole_number("count", count, 1, MOST_IMAGES),
            whole_number("seed", seed, 0, LAST_SEED),
        )
        if mean:
            self._require_latents("sample(mean=True)")
        if not self.vae.draws_images:
            raise ValueError("sample: the model's class has no method sample(count)")
        drawn = []
        with self._computing():
            for first, some in chunks(count, self._at_once):
                numbers = range(FIRST_IMAGE + first, FIRST_IMAGE + first + some)
                z, x = simulate(self.vae, seed, numbers)
                drawn.append((self._mean(z) if mean else x).cpu())
                if progress:
                    progress(first + some)
        images = torch.cat(drawn).view(-1, *self.image_shape).numpy()
        return images if mean or self.observes == "unit" else images.astype(np.uint8)

    def log_prob(
        self,
        images: Values,
        samples: int = 1000,
        seed: int = 0,
        progress: Count | None = None,
    ) -> LogLikelihood:
        """log p(x) by importance sampling; its exact value of models that have one.

        The noise of image i is a function of seed and i alone. Of the test split, with the seed of
        the evaluation (evaluation_seed x 2^32 + that of the training), it gives per_image.csv.

        Args:
            samples: of z for each image, at least 2.
            progress: is called with the number of images that are done, as in all methods.
        """
        samples = whole_number("samples", samples, 2, MOST_SAMPLES)
        seed = whole_number("seed", seed, 0, LAST_SEED)
        spec = EvaluationSpec(importance_samples=samples)
        taken, found, done = self._taken(images), [], 0
        with self._computing():
            for x in counted(self._batches(taken, spec.chunk_images), progress):
                numbers = range(done, done + len(x))
                found.append(measured(self.vae, spec, seed, numbers, x))
                done += len(x)
        whole = log_likelihood(found, samples)
        arrays = ("nats", "monte_carlo_error", "trusted")
        given = {name: given_back(getattr(whole, name), images) for name in arrays}
        return LogLikelihood(**given, exact=whole.exact)

    def _require_latents(self, method: str) -> None:
        if not self.vae.has_latents:
            raise ValueError(
                f"{method}: a model without latents has no z; log_prob and sample work"
            )

    @contextmanager
    def _computing(self) -> Iterator[None]:
        """Without gradients, and rounded as in training."""
        with torch.no_grad(), rounded_as(self.specification.precision):
            yield

    @property
    def _at_once(self) -> int:
        return max(1, PIXELS_AT_ONCE // self.vae.shape.pixels)

    def _taken(self, images: Values) -> Images:
        return Images(images, self.vae.shape, self.observes, self.binarisation_seed)

    def _batches(self, taken: Images, size: int | None = None) -> Iterator[Tensor]:
        """Images (B, D) as the likelihood observes them, on the model's device."""
        for first, count in chunks(len(taken), size or self._at_once):
            rows = taken.stored[first : first + count]
            if rows.dtype.kind == "f":
                yield torch.from_numpy(rows.astype(np.float64)).to(self.vae.device, self.vae.dtype)
            else:
                stored = torch.from_numpy(rows).to(self.vae.device)
                yield as_observed(stored, self.observes, self.levels, self.vae.dtype)

    def _mean(self, z: Tensor) -> Tensor:
        return self.vae.likelihood.mean(self.vae.decode(z))

    def _latent(self, z: Values) -> Tensor:
        values = as_array(z, "z").astype(np.float64)
        if values.ndim != 2 or values.shape[1] != self.latent_dim or not len(values):
            raise DataError(f"z of shape {values.shape}: give (N, {self.latent_dim})")
        if not np.isfinite(values).all():
            raise DataError("z has values that are not finite")
        return torch.from_numpy(values).to(self.vae.device, self.vae.dtype)
