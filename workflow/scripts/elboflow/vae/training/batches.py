"""What a rank sees at each step: its share of the global batch, and noise for it."""

import numpy as np
from torch import Tensor

from elboflow.vae.data import TrainingImages, as_observed
from elboflow.vae.model.model import Model
from elboflow.vae.noise import Purpose, normals, words
from elboflow.vae.spec import TrainingSpec

# This many steps, at most of so many pixels, are drawn at once and worked through before anybody
# looks at what they returned. On a CPU, so many that what is drawn stays in its cache.
STEPS_AHEAD = 50
PIXELS_AHEAD_CPU, PIXELS_AHEAD = 1 << 20, 1 << 24


class Batches:
    """A rank's images and noise of any step, drawn for some steps at once.

    Args:
        grey: training images, uint8, shape (images, D), of grey levels 0 .. levels.
        share: the rank's places in the global batch.
    """

    def __init__(
        self, vae: Model, spec: TrainingSpec, seed: int, grey: np.ndarray, levels: int, share: slice
    ) -> None:
        self.vae, self.spec, self.seed, self.share = vae, spec, seed, share
        observes = vae.likelihood.observes
        self.images = TrainingImages(grey, levels, seed, spec.batch_size, vae.device, observes)
        self.epoch_images = len(grey)
        batch_pixels = max(share.stop - share.start, 1) * grey.shape[1]
        most = PIXELS_AHEAD_CPU if vae.device.type == "cpu" else PIXELS_AHEAD
        self.ahead = min(STEPS_AHEAD, max(most // batch_pixels, 1))
        self._first = -1  # the step from which on batches are drawn

    def of(self, step: int) -> tuple[Tensor, Tensor]:
        """Images (B, D), as the likelihood observes them, and noise (K, B, L)."""
        place = step - self._first
        if self._first < 0 or not 0 <= place < self.ahead:
            self._drawn, self._first, place = self._draw(step), step, 0
        images, noise = self._drawn
        return self.observed(images[place]), noise[place].transpose(0, 1)

    def observed(self, images: Tensor) -> Tensor:
        """Stored images as the likelihood observes them."""
        observes = self.vae.likelihood.observes
        return as_observed(images, observes, self.images.levels, self.vae.dtype)

    def _draw(self, step: int) -> tuple[Tensor, Tensor]:
        """Images and noise from a step on, shapes (steps, B, D) and (steps, B, K, L)."""
        samples, latent = self.spec.training_samples, self.vae.latent_dim
        count, size = self.share.stop - self.share.start, self.spec.batch_size
        starts = [(0, one * size + self.share.start) for one in range(step, step + self.ahead)]
        raw = words(self.seed, Purpose.TRAINING, starts, count, samples * latent, self.vae.device)
        noise = normals(raw, self.vae.dtype).view(self.ahead, count, samples, latent)
        return self.images.batches(step, self.ahead, self.share), noise
