"""The tables of an evaluation."""

import csv
import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import astuple
from typing import Any

import numpy as np

from elboflow.vae.measure.baselines import Baselines
from elboflow.vae.measure.bound_curve import curve
from elboflow.vae.measure.checks import check, check_scale
from elboflow.vae.measure.rate_parts import RateParts, check_parts, quantities_of_parts
from elboflow.vae.measure.summary import (
    PerImage,
    Quantity,
    active_units,
    precision_effects,
    summarise,
)
from elboflow.vae.model.model import Model

# Of z and its draws, which a model without latents has none of.
OF_LATENTS = re.compile(
    "rate|distortion|(test_minus_train_|.*_|)gap|ess|dominated_share|heavy_tail_share|"
    "active_units.*|informative_units"
)
COLUMNS_OF_LATENTS = ("rate_nats", "distortion_nats", "ess", "largest_weight", "pareto_k")
CHECKS_OF_LATENTS = ("not_collapsed", "enough_importance_samples")
CURVE_HEADER = "samples,bound_nats,monte_carlo_error_nats,rise_nats,rise_error_nats"


def table(header: str, rows: Iterable[Iterable[Any]]) -> bytes:
    """CSV of floats with every digit, empty cells for None."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(header.split(","))
    writer.writerows(rows)
    return buffer.getvalue().encode()


def tables(
    images: PerImage,
    base: Baselines,
    vae: Model,
    limit: float,
    more: list[Quantity],
    parts: RateParts | None,
    reference: PerImage | None,
) -> dict[str, bytes]:
    """Check the results, and put them into files by name; an impossible one raises.

    Args:
        more: quantities beside those of the test images, see vae.measure.
        parts: of the rate, where q(z | x) has a density that is cheap.
        reference: the same in float32, where `images` were measured in another precision.
    """
    quantities = summarise(images, base, vae.shape.pixels, vae.likelihood.discrete, limit)
    quantities += quantities_of_parts(parts, images) if parts else []
    quantities += more
    if reference is not None:
        quantities += precision_effects(images, reference)
    checks = check(images, base, limit) + check_scale(vae.likelihood)
    checks += check_parts(parts, images) if parts else []
    if not images.has_latents:
        quantities = [q for q in quantities if not OF_LATENTS.fullmatch(q.name)]
        checks = [row for row in checks if row[0] not in CHECKS_OF_LATENTS]
    baselines = {"noise_floor_nats": base.noise_floor, "mean_image_nats": base.mean_image}
    found = curve(images.parts, images.samples)
    return {
        "per_image.csv": table_per_image(images, baselines),
        "checks.csv": table("check,status,detail", checks),
        "bound_against_k.csv": table(CURVE_HEADER, map(astuple, found)),
        "units.csv": table(*units(images, limit)),
        "summary.csv": table_of_quantities(quantities, len(images.rate)),
    }


def table_of_quantities(quantities: list[Quantity], images: int) -> bytes:
    """A row for each; `images` of those that are of all."""
    rows = (
        [q.name, q.unit, q.value, q.data_error, q.monte_carlo_error, q.images or images]
        for q in quantities
    )
    return table("quantity,unit,value,data_error,monte_carlo_error,images", rows)


def table_per_image(images: PerImage, more: Mapping[str, np.ndarray | None]) -> bytes:
    """A row for each image; no column of what the model or the data lack.

    Args:
        more: columns beside those of the images, shape (N,).
    """
    known = {
        "elbo_nats": images.elbo,
        "elbo_monte_carlo_error_nats": images.elbo_monte_carlo_error,
        "rate_nats": images.rate,
        "distortion_nats": images.distortion,
        "log_likelihood_nats": images.log_likelihood,
        "log_likelihood_monte_carlo_error_nats": images.log_likelihood_monte_carlo_error,
        "ess": images.ess,
        "largest_weight": images.largest_weight,
        "pareto_k": images.pareto_k,
        "exact_log_likelihood_nats": images.exact_log_likelihood,
        **more,
    }
    lacking = () if images.has_latents else COLUMNS_OF_LATENTS
    columns = {
        name: column for name, column in known.items() if column is not None and name not in lacking
    }
    values = np.stack(list(columns.values()), axis=1).tolist()
    rows = ([image, *row] for image, row in enumerate(values))
    return table("image," + ",".join(columns), rows)


def units(images: PerImage, limit: float) -> tuple[str, list[list[Any]]]:
    """Header and rows of units.csv."""
    rates = [None if np.isnan(rate) else rate for rate in images.kl.mean(0).tolist()]
    variances = images.posterior_mean.var(0, ddof=1).tolist()
    active = active_units(images.posterior_mean, limit).astype(int).tolist()
    rows = [[unit, *row] for unit, row in enumerate(zip(rates, variances, active, strict=True))]
    return "unit,rate_nats,posterior_mean_variance,active", rows
