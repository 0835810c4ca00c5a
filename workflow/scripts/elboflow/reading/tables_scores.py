"""What other data sets score under a run's model, beside its own test images."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from elboflow.reading.auroc import auroc
from elboflow.reading.columns import PER_IMAGE, SCORES
from elboflow.reading.csv_tables import read_table
from elboflow.reading.paths import run_and_seed, scored_dataset
from elboflow.reading.settings import kinds
from elboflow.reading.tables_bounds import mean
from elboflow.vae.choices import DATA
from elboflow.vae.measure.conventions import NATS

KEYS = ["run", "seed", "dataset"]


def mean_scores(images: pd.DataFrame, pixels: int | None) -> list[dict[str, Any]]:
    """The mean log p(x) of some images.

    Args:
        pixels: numbers of an image, where p(x) is a probability and so has bits/dim.
    """
    log_p, error = images["log_likelihood_nats"], "log_likelihood_monte_carlo_error_nats"
    errors = [images[error]] if error in images else []  # none of one that is exact
    found = [mean("log_likelihood", NATS, log_p, errors)]
    if pixels:
        bits = 1 / (pixels * np.log(2))
        scaled = [bits * one for one in errors]
        found.append(mean("bits_per_dim", "bits per pixel", -bits * log_p, scaled))
    return found


def against(images: pd.DataFrame, own: pd.DataFrame) -> list[dict[str, Any]]:
    """What else is to be said of other images, whose log p(x) is held against the own ones'."""
    log_p, inside = (table["log_likelihood_nats"] for table in (images, own))
    above = (log_p > inside.median()).astype(float)
    area = auroc(inside.to_numpy(), log_p.to_numpy())._asdict()
    names = {"value": "auroc", "lower": "auroc_lower", "upper": "auroc_upper"}
    found = [mean("above_own_median", "share of images", above)]
    found += [
        {"quantity": names[end], "unit": "area", "value": value, "images": len(images)}
        for end, value in area.items()
    ]
    if "ess" in images:  # the model has latents
        rise = log_p - images["log_likelihood_at_half_nats"]
        found += [mean("rise_from_half", NATS, rise), mean("ess", "samples", images["ess"])]
    return found


def scores_of_runs(
    scores: Sequence[str | Path],
    per_image: Sequence[str | Path],
    settings: pd.DataFrame,
    manifests: Sequence[Mapping[str, Any]],
) -> pd.DataFrame:
    """One row per run x seed x data set x quantity, sorted; the run's own data set among them.

    Args:
        scores: results/runs/{run}/seed{seed}/scores/{dataset}.csv.
        per_image: results/runs/{run}/seed{seed}/per_image.csv of the same trainings.
        manifests: of the data sets that are scored, whose images have the shape of the run's own.
    """
    shapes = {each["dataset"]: each["image_shape"] for each in manifests}
    others: dict[tuple[str, int], dict[str, pd.DataFrame]] = {}
    for path in scores:
        training, name = scored_dataset(path)
        others.setdefault(training, {})[name] = read_table(path, SCORES)
    rows = []
    for path in per_image:
        run, seed = training = run_and_seed(path)
        dataset, observes = kinds(settings)[run]
        inside, outside = read_table(path, PER_IMAGE), others[training]
        pixels = int(np.prod(shapes[min(outside)])) if DATA[observes].discrete else None
        found = {dataset: mean_scores(inside, pixels)}
        for name, images in outside.items():
            found[name] = mean_scores(images, pixels) + against(images, inside)
        rows += [
            {"run": run, "seed": seed, "dataset": name, **row}
            for name in found
            for row in found[name]
        ]
    return pd.DataFrame(rows).sort_values([*KEYS, "quantity"], ignore_index=True)
