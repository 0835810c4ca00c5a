"""Annealed importance sampling: log p(x) from below, and on simulated images from above as well.

Neal, Annealed importance sampling, Statistics and Computing 11, 2001. Wu et al., On the
quantitative analysis of decoder-based generative models, arXiv:1611.04273. Grosse et al.,
Sandwiching the marginal likelihood using bidirectional Monte Carlo, arXiv:1511.02543.

Shapes: C = chains, B = images, L = latent dimensions, T = temperatures.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from elboflow.vae.annealing import hmc
from elboflow.vae.annealing.hmc import LogDensity, Place

SIGMOID_RANGE = 4.0  # as in Grosse et al.: temperatures are dense at both ends
FIRST_STEP_SIZE = 0.1
WARM_UP = 30  # transitions of the pilot run before it moves on from the first temperature

Tick = Callable[[], None]
"""Called once for each temperature that is done."""


Path = tuple[LogDensity, LogDensity]
"""log q_0(z) and log p(x, z), the ends of log f_t(z) = (1 - t) log q_0(z) + t log p(x, z)."""


def weights_at(temperature: float, like: Tensor) -> Tensor:
    """Of the ends of a path in log f_t, float64, shape (2,), on a tensor's device."""
    return like.new_tensor([1 - temperature, temperature], dtype=torch.float64)


def schedule(temperatures: int) -> list[float]:
    """T + 1 temperatures from 0 to 1: a sigmoid's, scaled (Grosse et al.)."""
    points = torch.linspace(-SIGMOID_RANGE, SIGMOID_RANGE, temperatures + 1, dtype=torch.float64)
    curve = points.sigmoid()
    return ((curve - curve[0]) / (curve[-1] - curve[0])).tolist()


Noise = Callable[[int], tuple[Tensor, Tensor]]
"""Gives standard normal noise (C, B, L) and uniform noise, float64, (C, B), of a step."""


def sweep(
    start: Place, temperatures: Sequence[float], move: Callable[[int, Place], Place]
) -> Tensor:
    """Log weights of chains that go along temperatures, float64, shape (C, B).

    From 0 to 1 they estimate p(x) without bias (Neal, section 2), from 1 to 0, started at exact
    samples of p(z | x), 1 / p(x) (Grosse et al.).

    Args:
        start: where the chains start, with both ends of the path.
        move: gives the place after a transition at the temperature of that number.
    """
    here, log_weights = start, torch.zeros_like(start.values[0])
    last = len(temperatures) - 1
    for number in range(1, last + 1):
        log_q, log_joint = here.values
        log_weights += (temperatures[number] - temperatures[number - 1]) * (log_joint - log_q)
        if number < last:
            here = move(number, here)
    return log_weights


@dataclass(frozen=True)
class Annealing:
    """Chains for one chunk of images, and the step sizes that a pilot run found for them."""

    path: Path
    temperatures: list[float]
    leapfrog_steps: int
    step_sizes: list[Tensor]  # one of shape (B,) for each temperature

    def forward(self, z: Tensor, noise: Noise, tick: Tick = lambda: None) -> tuple[Tensor, Tensor]:
        """Log weights of mean p(x), of chains from samples z of q_0, and their rate of acceptance.

        Shapes (C, B) and (B,), from z of shape (C, B, L).
        """
        return self._sweep(z, noise, list(range(len(self.temperatures))), tick)

    def reverse(self, z: Tensor, noise: Noise, tick: Tick = lambda: None) -> tuple[Tensor, Tensor]:
        """The same of mean 1 / p(x), of chains from samples z of p(z | x)."""
        return self._sweep(z, noise, list(reversed(range(len(self.temperatures)))), tick)

    def _sweep(
        self, z: Tensor, noise: Noise, order: list[int], tick: Tick
    ) -> tuple[Tensor, Tensor]:
        accepted: list[Tensor] = []

        def move(number: int, here: Place) -> Place:
            level = order[number]
            weights, step_size = weights_at(self.temperatures[level], z), self.step_sizes[level]
            steps, draws = self.leapfrog_steps, noise(number)
            here, probability = hmc.transition(self.path, weights, here, step_size, steps, *draws)
            accepted.append(probability.mean(0))
            tick()
            return here

        start = hmc.place(self.path, z)
        log_weights = sweep(start, [self.temperatures[level] for level in order], move)
        return log_weights, torch.stack([*accepted] or [torch.ones_like(log_weights[0])]).mean(0)


def pilot(
    path: Path,
    z: Tensor,
    temperatures: list[float],
    leapfrog_steps: int,
    noise: Noise,
    tick: Tick = lambda: None,
) -> Annealing:
    """Find step sizes in a run of its own, whose weights are thrown away.

    They are frozen then: a function of image and pilot noise, which the chains that count do not
    see, so that these have the right density at each temperature, and weights the right mean.

    Args:
        z: samples of q_0 that no other run starts from, shape (C, B, L).
    """
    step_size = torch.full(z.shape[1:2], FIRST_STEP_SIZE, dtype=torch.float64, device=z.device)
    step_sizes = [step_size]
    visits = [temperatures[1]] * WARM_UP + temperatures[1:-1]
    here = hmc.place(path, z)
    for number, temperature in enumerate(visits, 1):
        weights, draws = weights_at(temperature, z), noise(number)
        here, probability = hmc.transition(path, weights, here, step_size, leapfrog_steps, *draws)
        step_size = hmc.adapted(step_size, probability)
        if number > WARM_UP:
            step_sizes.append(step_size)
            tick()
    return Annealing(path, temperatures, leapfrog_steps, [*step_sizes, step_size])
