"""What results must pass: the impossible fails, the merely bad is a warning."""

import numpy as np

from elboflow.vae.measure.baselines import Baselines
from elboflow.vae.measure.summary import PerImage, active_units
from elboflow.vae.model.likelihood import Likelihood

STANDARD_ERRORS = 5.0  # what is impossible must be exceeded by this much before it fails the job
CLEARLY = 2.0  # standard errors by which results must be better than what is a warning
FEWEST_IMAGES = 20  # with fewer, so many of their own standard errors happen by chance
WIDEST = 0.1  # nats: half of the interval of log p(x); published models differ by as little
ROUNDING = 1e-6  # of sums over pixels in float32, relative: where q is exact nothing else is left
NEAR_FLOOR = 1.1  # a learned scale below so many floors is held up by its floor


class ImpossibleResult(ArithmeticError):
    """A result that no correct computation can give."""


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
        not_above("elbo", images.elbo, "log_likelihood", images.log_likelihood),
        _better_than_mean_image(images, base),
        _not_collapsed(images, threshold),
        _enough_samples(images),
    ]


def _not_above_what_is_known(images: PerImage, base: Baselines) -> list[tuple[str, str, str]]:
    rows = []
    if base.noise_floor is not None:
        rows.append(
            not_above("log_likelihood", images.log_likelihood, "noise_floor", base.noise_floor)
        )
    if (exact := images.exact_log_likelihood) is not None:
        rows += [
            not_above(name, getattr(images, name), "exact_log_likelihood", exact)
            for name in ("elbo", "log_likelihood")
        ]
    return rows


def check_scale(likelihood: Likelihood) -> list[tuple[str, str, str]]:
    """Whether a learned scale is held up by its floor."""
    learned = likelihood.floored_scale()
    if learned is None:
        return []
    scale, floor = learned().item(), learned.floor
    status = "ok" if scale > NEAR_FLOOR * floor else "warning"
    return [("scale_above_floor", status, f"learned scale {scale:.4g}, its floor {floor:.4g}")]


def not_above(
    lower: str,
    lower_values: np.ndarray,
    upper: str,
    upper_values: np.ndarray,
    rounded: np.ndarray | None = None,
) -> tuple[str, str, str]:
    """Compare means over images, paired.

    Args:
        rounded: numbers of the size of those that were summed, if larger than `upper_values`.
    """
    excess = lower_values - upper_values
    error = excess.std(ddof=1) / len(excess) ** 0.5
    detail = f"{lower} - {upper} = {excess.mean():.4f} +- {error:.4f} nats, paired over images"
    size = np.abs(upper_values if rounded is None else rounded).mean()
    limit = STANDARD_ERRORS * error + ROUNDING * size
    if len(excess) >= FEWEST_IMAGES and excess.mean() > limit:
        raise ImpossibleResult(f"{detail}: above what is possible; the model or its data are wrong")
    return f"{lower}_not_above_{upper}", "ok", detail


def _better_than_mean_image(images: PerImage, base: Baselines) -> tuple[str, str, str]:
    gains = images.log_likelihood - base.mean_image
    gain, error = float(gains.mean()), float(gains.std(ddof=1) / len(gains) ** 0.5)
    detail = (
        f"{gain:.2f} +- {error:.2f} nats better than the mean training image, paired over images"
    )
    if gain > CLEARLY * error:
        return "better_than_mean_image", "ok", detail
    return "better_than_mean_image", "warning", f"{detail}: not clearly better"


def _not_collapsed(images: PerImage, threshold: float) -> tuple[str, str, str]:
    means = images.posterior_mean
    active = active_units(means, threshold)
    detail = f"{int(active.sum())} of {means.shape[1]} latent dimensions are active"
    squares = np.square(means - means.mean(0))  # whose mean is the variance that is looked at
    error = squares.std(0, ddof=1) / len(means) ** 0.5
    clear = means.var(0, ddof=1) - CLEARLY * error > threshold
    if clear.any():
        return "not_collapsed", "ok", detail
    return "not_collapsed", "warning", f"{detail}, none of them clearly" if active.any() else detail


def _enough_samples(images: PerImage) -> tuple[str, str, str]:
    """Whether K samples tell log p(x) as well as the images do, and to 0.1 nat."""
    found = images.extrapolated
    half = (found.upper - found.lower) / 2
    data_error = images.log_likelihood.std(ddof=1) / len(images.log_likelihood) ** 0.5
    status = "ok" if half <= min(WIDEST, data_error) else "warning"
    dominated = float((images.largest_weight > 0.5).mean())
    detail = (
        f"with K = {images.samples} samples log p(x) of these images lies within "
        f"{found.lower:.3f} to {found.upper:.3f} (95 %), the bound at K estimated to be "
        f"{found.bias:.3f} nats low; {_tails(images)}, in {dominated:.1%} one sample holds over "
        "half of the weight"
    )
    return "enough_importance_samples", status, detail


def _tails(images: PerImage) -> str:
    share = images.heavy_tail_share
    if share is None:
        return "how heavy the weights' tails are (Pareto k) is unknown with so few samples"
    return f"in {share:.1%} of the images the tail of the weights is heavy (Pareto k)"
