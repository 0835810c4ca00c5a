"""The rate in two parts, mutual information and marginal KL, each between two bounds."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from elboflow.vae.measure.aggregate import AggregatePosterior, Estimate
from elboflow.vae.measure.checks import FEWEST_IMAGES, ImpossibleResult, not_above
from elboflow.vae.measure.conventions import NATS
from elboflow.vae.measure.estimate import chunks
from elboflow.vae.measure.held_out import marginal_kl_at_least
from elboflow.vae.measure.summary import PerImage, Quantity, mean_of
from elboflow.vae.model.model import Model
from elboflow.vae.model.simulation import FIRST_IMAGE, simulate

SIMULATED_AT_ONCE = 100


@dataclass(frozen=True)
class RateParts:
    """Bounds on the marginal KL of all images there could be, from N test images.

    simulated: the upper bound of as many images that the model made, and `simulated_rate` with its
        Monte Carlo error. Where q fits the model their q(z) is the prior: what is left is what N
        images make of a marginal KL of 0, at that rate.
    """

    upper: Estimate
    lower: Estimate
    simulated: Estimate
    simulated_rate: tuple[Tensor, Tensor]


@torch.no_grad()
def rate_parts(vae: Model, seed: int, x: Tensor) -> RateParts | None:
    """Of the test images x, shape (N, D); none of very few, or where a z is weighed too slowly."""
    if len(x) < FEWEST_IMAGES or not vae.family.weighs_any_z:
        return None
    real = AggregatePosterior(vae, x, seed)
    numbers = [FIRST_IMAGE + image for image in range(len(x))]
    pieces = [numbers[first : first + n] for first, n in chunks(len(x), SIMULATED_AT_ONCE)]
    made = torch.cat([simulate(vae, seed, piece)[1] for piece in pieces])
    simulated = AggregatePosterior(vae, made, seed, FIRST_IMAGE)
    return RateParts(
        real.marginal_kl(), marginal_kl_at_least(real), simulated.marginal_kl(), simulated.rate()
    )


def check_parts(parts: RateParts, images: PerImage) -> list[tuple[str, str, str]]:
    """Rows (check, status, detail) of checks.csv, paired over images.

    Raises:
        ImpossibleResult: a marginal KL that is not finite, bounds in the wrong order, or a mutual
            information, with N images in the place of all, above the rate or log N.
    """
    upper, lower = (found.values.cpu().numpy() for found in (parts.upper, parts.lower))
    if not np.isfinite(upper + lower).all():
        raise ImpossibleResult("marginal_kl: not finite for some test images")
    information = images.rate - upper
    most = np.full_like(information, np.log(len(information)))
    # Where q is the prior, all are 0 but for the rounding of log-densities of the ELBO's size.
    return [
        not_above("mutual_information", information, "rate", images.rate, images.elbo),
        not_above("mutual_information", information, "log_images", most, images.elbo),
        not_above("marginal_kl_lower", lower, "marginal_kl", upper, images.elbo),
    ]


def quantities_of_parts(parts: RateParts, images: PerImage) -> list[Quantity]:
    """The rows of summary.csv; the bounds are on what all images there could be would give."""
    made, made_error = (values.cpu().numpy() for values in parts.simulated_rate)
    rate, error = images.rate, images.rate_monte_carlo_error
    return [
        _quantity("mutual_information", parts.upper, rate, error),
        _quantity("mutual_information_upper", parts.lower, rate, error),
        _quantity("marginal_kl", parts.upper),
        _quantity("marginal_kl_lower", parts.lower),
        _quantity("marginal_kl_simulated", parts.simulated),
        mean_of("rate_simulated", made, made_error),
    ]


def _quantity(
    name: str,
    found: Estimate,
    rate: np.ndarray | None = None,
    rate_error: np.ndarray | None = None,
) -> Quantity:
    """The marginal KL, or the rate minus it, with the data error of the jackknife."""
    value, spread = found.values.mean().item(), found.pseudo_values.cpu().numpy()
    errors = found.monte_carlo_error.cpu().numpy()
    if rate is not None:
        value, spread = float(rate.mean()) - value, rate - spread
        errors = errors if rate_error is None else np.hypot(errors, rate_error)
    count = len(spread)
    data_error = float(spread.std(ddof=1)) / count**0.5
    return Quantity(name, NATS, value, data_error, float(np.sqrt(np.square(errors).sum()) / count))
