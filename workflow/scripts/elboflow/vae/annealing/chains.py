"""What annealed importance sampling takes from a VAE: noise, where chains start, where they go."""

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor

from elboflow.vae.annealing.ais import Noise, Path
from elboflow.vae.model.draws import log_joint
from elboflow.vae.model.model import Model
from elboflow.vae.model.posterior import Posterior
from elboflow.vae.noise import Purpose, normals, uniforms, words

STEPS_AHEAD = 32  # transitions whose noise is drawn at once
MOST_CHAINS = 1 << 16  # of one image; further ones would have the noise of the next


class ChainNoise:
    """Noise of chains that is a function of (seed, purpose, image, chain, step) alone."""

    def __init__(
        self, vae: Model, seed: int, purpose: Purpose, images: Sequence[int], chains: int
    ) -> None:
        self.vae, self.seed, self.purpose = vae, seed, purpose
        self.shape = (chains, len(images))
        self.rows = [image * MOST_CHAINS + chain for chain in range(chains) for image in images]
        self._first, self._drawn = -STEPS_AHEAD, torch.empty(0)

    def __call__(self, step: int) -> tuple[Tensor, Tensor]:
        """Standard normal noise (C, B, L) and uniform noise, float64, (C, B) of a step."""
        if not 0 <= step - self._first < STEPS_AHEAD:
            self._first = step - step % STEPS_AHEAD
            starts = [(row, self._first) for row in self.rows]
            per_step = self.vae.latent_dim + 1
            self._drawn = words(
                self.seed, self.purpose, starts, STEPS_AHEAD, per_step, self.vae.device
            )
        raw = self._drawn[:, step - self._first].unflatten(0, self.shape)
        return normals(raw[..., :-1], self.vae.dtype), uniforms(raw[..., -1])


def path_of(vae: Model, x: Tensor, posterior: Posterior, start: str) -> Path:
    """The path to p(z) p(x | z) from q(z | x), or from p(z)."""
    first = posterior.log_prob if start == "posterior" else vae.prior.log_prob
    return first, partial(log_joint, vae, x)


@torch.no_grad()
def start_of(vae: Model, posterior: Posterior, start: str, noise: Noise) -> Tensor:
    """Samples of q(z | x), or of p(z), from the noise of step 0; shape (C, B, L)."""
    epsilon, _ = noise(0)
    return posterior.sample(epsilon)[0] if start == "posterior" else vae.prior.sample(epsilon)
