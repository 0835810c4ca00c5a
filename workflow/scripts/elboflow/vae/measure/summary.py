"""From values per image to numbers with errors."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from elboflow.vae.measure.baselines import Baselines
from elboflow.vae.measure.blocks import block_sizes
from elboflow.vae.measure.bound_curve import Extrapolated, errors, extrapolate, halvings
from elboflow.vae.measure.conventions import INFORMATIVE, NATS
from elboflow.vae.measure.pareto import reliable_up_to


@dataclass(frozen=True)
class Quantity:
    """A mean over the test images with its errors kept apart (None: has no meaning here).

    `images` is how many it rests on, None for all.
    """

    name: str
    unit: str
    value: float
    data_error: float | None
    monte_carlo_error: float | None
    images: int | None = None


@dataclass(frozen=True)
class PerImage:
    """Results of N test images in the order of the test split; float64, shape (N,), in nats.

    `log_means` (N, blocks) is log p(x) as each block of an image's K = `samples` importance samples
    estimates it; `pareto_k` is a shape, without a unit.
    `kl` (N, L) and `posterior_mean` (N, L) are per latent dimension. `exact_log_likelihood` is
    there for models that have one.
    """

    rate: np.ndarray
    distortion: np.ndarray
    elbo_monte_carlo_error: np.ndarray
    log_likelihood: np.ndarray
    ess: np.ndarray
    largest_weight: np.ndarray
    pareto_k: np.ndarray
    log_means: np.ndarray
    kl: np.ndarray
    posterior_mean: np.ndarray
    samples: int
    exact_log_likelihood: np.ndarray | None = None
    rate_monte_carlo_error: np.ndarray | None = None
    distortion_monte_carlo_error: np.ndarray | None = None

    @property
    def has_latents(self) -> bool:
        return self.posterior_mean.shape[1] > 0

    @property
    def elbo(self) -> np.ndarray:
        return -self.distortion - self.rate

    @cached_property
    def parts(self) -> list[np.ndarray]:
        """log p(x) from all K samples, from each half, quarter and so on: see bound_curve.py."""
        return halvings(self.log_means, block_sizes(self.samples))

    @cached_property
    def log_likelihood_monte_carlo_error(self) -> np.ndarray:
        """Of log_likelihood, to be pooled over images: see bound_curve.errors."""
        return errors(self.parts)

    @cached_property
    def extrapolated(self) -> Extrapolated:
        """Mean log p(x) of these images, with the bias at K: see bound_curve.py."""
        return extrapolate(self.parts)

    @property
    def heavy_tail_share(self) -> float | None:
        """Share of the images whose Pareto k is above its limit; None for K too small to tell."""
        if np.isnan(self.pareto_k).any():
            return None
        return float((self.pareto_k > reliable_up_to(self.samples)).mean())


def mean_of(name: str, values: np.ndarray, monte_carlo: np.ndarray | None = None) -> Quantity:
    """Mean over images; data error sd / sqrt(N), Monte Carlo error from those of the images."""
    count = len(values)
    data_error = float(values.std(ddof=1) / count**0.5)
    error = (
        float(np.sqrt(np.square(monte_carlo).sum()) / count) if monte_carlo is not None else None
    )
    return Quantity(name, NATS, float(values.sum() / count), data_error, error)


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
        *_counts_of_units(images, threshold),
        mean_of("mean_image", base.mean_image),
    ]
    if discrete:
        found.append(_scaled(log_likelihood, "bits_per_dim", "bits per pixel", -per_dim))
    if base.entropy is not None:
        found.append(mean_of("noise_floor", -base.entropy))
    if images.exact_log_likelihood is not None:
        found.append(mean_of("exact_log_likelihood", images.exact_log_likelihood))
    return found + _beyond_the_bound(images)


def _beyond_the_bound(images: PerImage) -> list[Quantity]:
    """What the mean log p(x) of these images is beyond the bound at K, and how heavy the tails are.

    The shares are of the model and K: which of the images are counted is mostly chance.
    """
    nats, share = NATS, "share of images"
    found, heavy = images.extrapolated, images.heavy_tail_share
    rows = [
        Quantity("log_likelihood_bias", nats, found.bias, None, found.bias_error),
        Quantity("log_likelihood_lower", nats, found.lower, None, None),
        Quantity("log_likelihood_upper", nats, found.upper, None, None),
    ]
    dominated = float((images.largest_weight > 0.5).mean())
    rows.append(Quantity("dominated_share", share, dominated, None, None))
    return (
        rows if heavy is None else [*rows, Quantity("heavy_tail_share", share, heavy, None, None)]
    )


def _counts_of_units(images: PerImage, threshold: float) -> list[Quantity]:
    """How many dimensions z uses: by the threshold, by half and twice of it, and by their KL."""
    limits = {
        "active_units": threshold,
        "active_units_at_half_threshold": threshold / 2,
        "active_units_at_twice_threshold": 2 * threshold,
    }
    counts = {
        name: active_units(images.posterior_mean, limit).sum() for name, limit in limits.items()
    }
    rates = images.kl.mean(0)
    if not np.isnan(rates).any():
        counts["informative_units"] = (rates > INFORMATIVE).sum()
    return [Quantity(name, "units", float(count), None, None) for name, count in counts.items()]


def precision_effects(images: PerImage, reference: PerImage) -> list[Quantity]:
    """By how much the results differ from those in float32 of the same weights and noise."""
    return [
        mean_of(f"{name}_minus_float32", getattr(images, name) - getattr(reference, name))
        for name in ("elbo", "log_likelihood")
    ]


def _scaled(quantity: Quantity, name: str, unit: str, factor: float) -> Quantity:
    data_error, error = quantity.data_error, quantity.monte_carlo_error
    return Quantity(
        name,
        unit,
        quantity.value * factor,
        None if data_error is None else data_error * abs(factor),
        None if error is None else error * abs(factor),
    )
