"""From values per image to numbers with errors, and the checks that they must pass."""

from dataclasses import dataclass

import numpy as np

from vae.baselines import Baselines
from vae.densities import Gaussian, Likelihood

STANDARD_ERRORS = 5.0  # what is impossible must be exceeded by this much before it fails the job
FEWEST_IMAGES = 20  # with fewer, so many of their own standard errors happen by chance
HEAVY_SHARE = 0.01  # of the images with over half of the weight on one sample, to be warned of
# The same of images without a reliable error. On digits with two latents they were 0.18, and bounds
# from both sides had the mean of simulated images right to 0.02 nats: more is a reason to look.
UNTRUSTED_SHARE = 0.25
ROUNDING = 1e-6  # of sums over pixels in float32, relative: where q is exact nothing else is left
NEAR_FLOOR = 1.1  # a learned scale below so many floors is held up by its floor


class ImpossibleResult(ArithmeticError):
    """A result that no correct computation can give."""


@dataclass(frozen=True)
class Quantity:
    """A mean over the test images with its errors kept apart (None: has no meaning here)."""

    name: str
    unit: str
    value: float
    data_error: float | None
    monte_carlo_error: float | None


@dataclass(frozen=True)
class PerImage:
    """Results of N test images in the order of the test split; float64, shape (N,), in nats.

    `untrusted` is 1 where importance sampling says little of log p(x), else 0; `pareto_k` is a
    shape, without a unit.
    `kl` (N, L) and `posterior_mean` (N, L) are per latent dimension. `exact_log_likelihood` is
    there for models that have one.
    """

    rate: np.ndarray
    distortion: np.ndarray
    elbo_monte_carlo_error: np.ndarray
    log_likelihood: np.ndarray
    log_likelihood_monte_carlo_error: np.ndarray
    ess: np.ndarray
    largest_weight: np.ndarray
    pareto_k: np.ndarray
    untrusted: np.ndarray
    kl: np.ndarray
    posterior_mean: np.ndarray
    exact_log_likelihood: np.ndarray | None = None
    rate_monte_carlo_error: np.ndarray | None = None
    distortion_monte_carlo_error: np.ndarray | None = None

    @property
    def elbo(self) -> np.ndarray:
        return -self.distortion - self.rate


def mean_of(name: str, values: np.ndarray, monte_carlo: np.ndarray | None = None) -> Quantity:
    """Mean over images; data error sd / sqrt(N), Monte Carlo error from those of the images."""
    count = len(values)
    data_error = float(values.std(ddof=1) / count**0.5)
    error = (
        float(np.sqrt(np.square(monte_carlo).sum()) / count) if monte_carlo is not None else None
    )
    return Quantity(name, "nats per image", float(values.sum() / count), data_error, error)


def active_units(posterior_mean: np.ndarray, threshold: float) -> np.ndarray:
    """Which latent dimensions have Var_x(E_q[z]) > threshold, shape (L,).

    Burda et al., arXiv:1509.00519, section 5.2.
    """
    return posterior_mean.var(0, ddof=1) > threshold


def summarise(
    images: PerImage, base: Baselines, pixels: int, discrete: bool, threshold: float
) -> list[Quantity]:
    """The rows of summary.csv; bits/dim only of probabilities, baselines only where they exist."""
    log_likelihood = mean_of(
        "log_likelihood", images.log_likelihood, images.log_likelihood_monte_carlo_error
    )
    gap_error = np.hypot(images.log_likelihood_monte_carlo_error, images.elbo_monte_carlo_error)
    distortion_error = images.distortion_monte_carlo_error
    if distortion_error is None:
        distortion_error = images.elbo_monte_carlo_error
    per_dim = 1 / (pixels * np.log(2))
    ess = mean_of("ess", images.ess)
    found = [
        mean_of("elbo", images.elbo, images.elbo_monte_carlo_error),
        mean_of("rate", images.rate, images.rate_monte_carlo_error),
        mean_of("distortion", images.distortion, distortion_error),
        log_likelihood,
        mean_of("gap", images.log_likelihood - images.elbo, gap_error),
        Quantity("ess", "samples", ess.value, ess.data_error, None),
        Quantity("untrusted", "share of images", float(images.untrusted.mean()), None, None),
        Quantity(
            "active_units",
            "units",
            float(active_units(images.posterior_mean, threshold).sum()),
            None,
            None,
        ),
        mean_of("mean_image", base.mean_image),
    ]
    if discrete:
        found.append(_scaled(log_likelihood, "bits_per_dim", "bits per pixel", -per_dim))
    if base.entropy is not None:
        found.append(mean_of("noise_floor", -base.entropy))
    if images.exact_log_likelihood is not None:
        found.append(mean_of("exact_log_likelihood", images.exact_log_likelihood))
    return found


def precision_effects(images: PerImage, reference: PerImage) -> list[Quantity]:
    """By how much the results differ from those in float32 of the same weights and noise."""
    return [
        mean_of(f"{name}_minus_float32", getattr(images, name) - getattr(reference, name))
        for name in ("elbo", "log_likelihood")
    ]


def check(images: PerImage, base: Baselines, threshold: float) -> list[tuple[str, str, str]]:
    """Rows (check, status, detail) of checks.csv.

    Raises:
        ImpossibleResult: a value that is not finite, a log-likelihood above the noise floor or an
            exact value, or an ELBO above log p(x), all but the first in paired tests over images.
    """
    for name in ("elbo", "rate", "distortion", "log_likelihood", "ess"):
        if not np.isfinite(getattr(images, name)).all():
            raise ImpossibleResult(f"{name}: not finite for some test images")
    return [
        *_not_above_what_is_known(images, base),
        _not_above("elbo", images.elbo, "log_likelihood", images.log_likelihood),
        _better_than_mean_image(images, base),
        _not_collapsed(images, threshold),
        _trustworthy_weights(images),
    ]


def _not_above_what_is_known(images: PerImage, base: Baselines) -> list[tuple[str, str, str]]:
    rows = []
    if base.noise_floor is not None:
        rows.append(
            _not_above("log_likelihood", images.log_likelihood, "noise_floor", base.noise_floor)
        )
    if (exact := images.exact_log_likelihood) is not None:
        rows += [
            _not_above(name, getattr(images, name), "exact_log_likelihood", exact)
            for name in ("elbo", "log_likelihood")
        ]
    return rows


def check_scale(likelihood: Likelihood) -> list[tuple[str, str, str]]:
    """Whether a learned scale of gaussian pixels is held up by its floor."""
    if not isinstance(likelihood, Gaussian) or not likelihood.scale.learned:
        return []
    scale, floor = likelihood.scale().item(), likelihood.scale.floor
    status = "ok" if scale > NEAR_FLOOR * floor else "warning"
    return [("scale_above_floor", status, f"learned scale {scale:.4g}, its floor {floor:.4g}")]


def _not_above(
    lower: str, lower_values: np.ndarray, upper: str, upper_values: np.ndarray
) -> tuple[str, str, str]:
    excess = lower_values - upper_values
    error = excess.std(ddof=1) / len(excess) ** 0.5
    detail = f"{lower} - {upper} = {excess.mean():.4f} +- {error:.4f} nats, paired over images"
    limit = STANDARD_ERRORS * error + ROUNDING * np.abs(upper_values).mean()
    if len(excess) >= FEWEST_IMAGES and excess.mean() > limit:
        raise ImpossibleResult(f"{detail}: above what is possible; the model or its data are wrong")
    return f"{lower}_not_above_{upper}", "ok", detail


def _better_than_mean_image(images: PerImage, base: Baselines) -> tuple[str, str, str]:
    gain = float((images.log_likelihood - base.mean_image).mean())
    status = "ok" if gain > 0 else "warning"
    return "better_than_mean_image", status, f"{gain:.2f} nats better than the mean training image"


def _not_collapsed(images: PerImage, threshold: float) -> tuple[str, str, str]:
    active = int(active_units(images.posterior_mean, threshold).sum())
    status = "ok" if active else "warning"
    return "not_collapsed", status, f"{active} of {images.kl.shape[1]} latent dimensions are active"


def _trustworthy_weights(images: PerImage) -> tuple[str, str, str]:
    untrusted = float(images.untrusted.mean())
    heavy = float((images.largest_weight > 0.5).mean())
    status = "ok" if untrusted < UNTRUSTED_SHARE and heavy < HEAVY_SHARE else "warning"
    detail = (
        f"the error of importance sampling is not to be trusted for {untrusted:.1%} of the images: "
        "the tail of their weights is too heavy (Pareto k), or one sample holds over half of the "
        f"weight ({heavy:.1%})"
    )
    return "importance_weights", status, detail


def _scaled(quantity: Quantity, name: str, unit: str, factor: float) -> Quantity:
    data_error, error = quantity.data_error, quantity.monte_carlo_error
    return Quantity(
        name,
        unit,
        quantity.value * factor,
        None if data_error is None else data_error * abs(factor),
        None if error is None else error * abs(factor),
    )
