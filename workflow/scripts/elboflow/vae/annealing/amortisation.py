"""How much of the gap log p(x) - ELBO is the encoder's, and how much that of its family of q.

log p(x) - ELBO = (log p(x) - ELBO*) + (ELBO* - ELBO), where ELBO* is that of the best q of the
family for this one image. The first part is the approximation gap, the second the amortisation gap.
Cremer, Li and Duvenaud, Inference suboptimality in variational autoencoders, arXiv:1801.03558.

ELBO* is searched for, so that the second part comes out too small rather than too large, and the
first too large. Shapes: K = draws, B = images, L = latent dimensions.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from elboflow.vae.annealing.ais import Tick
from elboflow.vae.measure.estimate import chunks, image_noise, standard_error
from elboflow.vae.model.draws import Draws, draw
from elboflow.vae.model.model import Model
from elboflow.vae.model.posterior import Posterior
from elboflow.vae.noise import Purpose
from elboflow.vae.spec import EvaluationSpec

# Of Adam, whose step size falls geometrically; it is in units of the encoder's sd, and of log sd.
# Four times as many steps of twice as many draws gain 0.002 nats on digits with 20 latents.
STEPS = 500
FIRST_STEP, LAST_STEP = 0.2, 0.001
PAIRS = 8  # of draws at each step, each with its mirror image about the mean

COLUMNS = (
    *("elbo_nats", "elbo_error_nats", "best_elbo_nats", "best_elbo_error_nats"),
    *("amortisation_nats", "amortisation_error_nats"),
)
Noise = Callable[[int, int], Tensor]


def split_gap(
    vae: Model,
    spec: EvaluationSpec,
    seed: int,
    images: Sequence[int],
    x: Tensor,
    tick: Tick = lambda: None,
) -> dict[str, Tensor]:
    """ELBO, ELBO* and their difference with Monte Carlo errors: COLUMNS, float64, shape (B,).

    The two have the same draws, other ones than the search has seen: the ELBO is that of evaluate,
    and the error of the difference is that of pairs. Empty for families that are not searched.

    Args:
        images: numbers of the images, which key their noise.
        x: the images, shape (B, D).
    """
    if not vae.family.searched:
        return {}
    with torch.no_grad():
        posterior = vae.encode(x)
    search_noise = image_noise(vae, seed, Purpose.BEST_POSTERIOR, images)
    best = best_posterior(vae, x, posterior, search_noise, tick)
    noise = image_noise(vae, seed, Purpose.ELBO, images)
    pieces = list(chunks(spec.elbo_samples, spec.chunk_samples))
    with torch.no_grad():
        own, found = (
            torch.cat([elbo_terms(draw(vae, x, noise(*piece), q)).double() for piece in pieces])
            for q in (posterior, best)
        )
    named = {"elbo": own, "best_elbo": found, "amortisation": found - own}
    means = {f"{name}_nats": terms.mean(0) for name, terms in named.items()}
    errors = {f"{name}_error_nats": standard_error(terms) for name, terms in named.items()}
    return {**means, **errors}


def best_posterior(
    vae: Model, x: Tensor, start: Posterior, noise: Noise, tick: Tick = lambda: None
) -> Posterior:
    """The q of the family of `start` with the largest ELBO of each image that a search finds.

    Args:
        noise: gives standard normal noise (count, B, L) of so many draws from the first on.
    """
    start = start.detach()
    offsets = [offset.requires_grad_() for offset in start.offsets()]
    optimiser = torch.optim.Adam(offsets, lr=FIRST_STEP)
    for step in range(STEPS):
        optimiser.param_groups[0]["lr"] = FIRST_STEP * (LAST_STEP / FIRST_STEP) ** (step / STEPS)
        drawn = noise(step * PAIRS, PAIRS)
        with torch.enable_grad():
            terms = elbo_terms(draw(vae, x, torch.cat([drawn, -drawn]), start.at(offsets)))
            # A sum: the parameters of an image see its own ELBO alone.
            gradients = torch.autograd.grad(-terms.mean(0).sum(), offsets)
        for offset, gradient in zip(offsets, gradients, strict=True):
            offset.grad = gradient
        optimiser.step()
        tick()
    return start.at(offsets).detach()


def elbo_terms(draws: Draws) -> Tensor:
    """Terms whose mean over draws is the ELBO, (K, B); with the KL in closed form if it has one."""
    rate = draws.analytic_rate
    return draws.log_likelihood - (draws.sampled_rates if rate is None else rate)
