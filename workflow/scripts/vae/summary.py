"""From values per image to numbers with errors, and the checks that they must pass."""

from dataclasses import dataclass

import numpy as np

STANDARD_ERRORS = 5.0  # what is impossible must be exceeded by this much before it fails the job


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

    `kl` (N, L) and `posterior_mean` (N, L) are per latent dimension.
    """

    rate: np.ndarray
    distortion: np.ndarray
    elbo_monte_carlo_error: np.ndarray
    log_likelihood: np.ndarray
    log_likelihood_monte_carlo_error: np.ndarray
    ess: np.ndarray
    largest_weight: np.ndarray
    kl: np.ndarray
    posterior_mean: np.ndarray

    @property
    def elbo(self) -> np.ndarray:
        return -self.distortion - self.rate


@dataclass(frozen=True)
class Baselines:
    """What the test images allow, float64, shape (N,), in nats per image.

    noise_floor: log p(b | grey) of the binary image under the very grey levels that it was drawn
        from: no model has a larger expectation (Gibbs' inequality).
    entropy: its negative expectation over the binarisation.
    mean_image: log-likelihood under independent pixels with the training means.
    """

    noise_floor: np.ndarray
    entropy: np.ndarray
    mean_image: np.ndarray


def baselines(grey: np.ndarray, binary: np.ndarray, levels: int, mean: np.ndarray) -> Baselines:
    """Baselines of binary images (N, D), uint8, drawn from grey levels (N, D), uint8.

    Args:
        mean: mean training image, shape (D,), clipped to [0.001, 0.999] here.
    """
    on = np.arange(levels + 1) / levels
    with np.errstate(divide="ignore", invalid="ignore"):
        log_on, log_off = np.log(on), np.log1p(-on)
        entropy = -np.nan_to_num(on * log_on) - np.nan_to_num((1 - on) * log_off)  # 0 log 0 = 0
    observed = np.where(binary == 1, log_on[grey], log_off[grey])
    clipped = np.clip(mean, 0.001, 0.999)
    logits = np.log(clipped) - np.log1p(-clipped)
    mean_image = binary @ logits + np.log1p(-clipped).sum()
    return Baselines(observed.sum(1), entropy[grey].sum(1), mean_image)


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


def summarise(images: PerImage, base: Baselines, pixels: int, threshold: float) -> list[Quantity]:
    """The rows of summary.csv."""
    log_likelihood = mean_of(
        "log_likelihood", images.log_likelihood, images.log_likelihood_monte_carlo_error
    )
    gap_error = np.hypot(images.log_likelihood_monte_carlo_error, images.elbo_monte_carlo_error)
    per_dim = 1 / (pixels * np.log(2))
    ess = mean_of("ess", images.ess)
    return [
        mean_of("elbo", images.elbo, images.elbo_monte_carlo_error),
        mean_of("rate", images.rate),
        mean_of("distortion", images.distortion, images.elbo_monte_carlo_error),
        log_likelihood,
        mean_of("gap", images.log_likelihood - images.elbo, gap_error),
        _scaled(log_likelihood, "bits_per_dim", "bits per pixel", -per_dim),
        Quantity("ess", "samples", ess.value, ess.data_error, None),
        Quantity(
            "active_units",
            "units",
            float(active_units(images.posterior_mean, threshold).sum()),
            None,
            None,
        ),
        mean_of("noise_floor", -base.entropy),
        mean_of("mean_image", base.mean_image),
    ]


def precision_effects(images: PerImage, reference: PerImage) -> list[Quantity]:
    """By how much the results differ from those in float32 of the same weights and noise."""
    return [
        mean_of(f"{name}_minus_float32", getattr(images, name) - getattr(reference, name))
        for name in ("elbo", "log_likelihood")
    ]


def check(images: PerImage, base: Baselines, threshold: float) -> list[tuple[str, str, str]]:
    """Rows (check, status, detail) of checks.csv.

    Raises:
        ImpossibleResult: a value that is not finite, a log-likelihood above the noise floor, or an
            ELBO above log p(x), the last two in a paired test over images.
    """
    for name in ("elbo", "rate", "distortion", "log_likelihood", "ess"):
        if not np.isfinite(getattr(images, name)).all():
            raise ImpossibleResult(f"{name}: not finite for some test images")
    return [
        _not_above("log_likelihood", images.log_likelihood, "noise_floor", base.noise_floor),
        _not_above("elbo", images.elbo, "log_likelihood", images.log_likelihood),
        _better_than_mean_image(images, base),
        _not_collapsed(images, threshold),
        _trustworthy_weights(images),
    ]


def _not_above(
    lower: str, lower_values: np.ndarray, upper: str, upper_values: np.ndarray
) -> tuple[str, str, str]:
    excess = lower_values - upper_values
    error = excess.std(ddof=1) / len(excess) ** 0.5
    detail = f"{lower} - {upper} = {excess.mean():.4f} +- {error:.4f} nats, paired over images"
    if excess.mean() > STANDARD_ERRORS * error:
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
    heavy = float((images.largest_weight > 0.5).mean())
    status = "ok" if heavy < 0.01 else "warning"
    detail = f"one sample holds over half of the weight for {heavy:.1%} of the images"
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
