"""Our log p(x) beside published ones: the difference with its error, and what was done otherwise.

Both are of the same test images, so that the error over images is none of the difference's.
"""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from elboflow.reading.columns import REPRODUCTION
from elboflow.reading.settings import own_model
from elboflow.reading.simultaneous import half_width
from elboflow.specification.published import recipe_settings

Quantities = Mapping[str, Mapping[Any, Any]]


def trained_passes(training: pd.DataFrame) -> pd.Series:
    """Passes over the training images of each run; of its shortest training, if they differ."""
    return training.groupby(["run", "seed"])["epoch"].max().groupby("run").min()


def tested_images(results: pd.DataFrame) -> pd.Series:
    """Test images of each run."""
    return results[results["quantity"] == "log_likelihood"].groupby("run")["images"].max()


def otherwise(own: Mapping[str, str], published: Mapping[str, Any]) -> str:
    """The settings that a run has otherwise than a recipe, in words.

    Args:
        own: the run's, as tables/settings.csv has them: JSON, but text without quotes.
    """
    shown = {
        key: value if isinstance(value, str) else json.dumps(value)
        for key, value in published.items()
    }
    differing = [
        f"{key} {own[key]}, theirs {shown[key]}"
        for key, value in sorted(published.items())
        if key in own and own[key] != shown[key] and _read(own[key]) != value
    ]
    return "; ".join([own_model(own["model"]), *differing] if "model" in own else differing)


def _read(text: str) -> Any:
    try:
        return json.loads(text)  # 100.0 is 100
    except ValueError:
        return text


def error_parts(
    quantities: Quantities, published: float | None, images: int, all_images: int
) -> tuple[dict[str, float], float]:
    """The parts of a difference's error, nan where unknown, and half of its 95 % interval.

    published_error: of theirs, over trainings: as of a single one, which is never too small.
    seed_error: of our mean over seeds; unknown of one seed.
    binarisation_error: both are of one draw each of the binary test images, which are independent.
    sampling_error: where ours are only some of their test images; of a finite population.

    Args:
        quantities: rows of tables/summary.csv of the run.
        all_images: of the published test split, of which we have `images`.
    """
    ours = quantities["log_likelihood"]
    binarisation = quantities.get("binarisation_sd", {}).get("mean", np.nan)
    missing = max(0.0, 1 - images / all_images)
    parts = {
        "published_error": np.nan if published is None else published,
        "seed_error": ours["seed_sd"] / ours["seeds"] ** 0.5,
        "monte_carlo_error": ours["monte_carlo_error"],
        "binarisation_error": 2**0.5 * binarisation,
        "sampling_error": ours["data_error"] * missing**0.5,
    }
    known = {name: error for name, error in parts.items() if error >= 0}
    freedoms = [ours["seeds"] - 1 if name == "seed_error" else np.inf for name in known]
    return parts, half_width([error**2 for error in known.values()], freedoms)


def reproduction(
    run: str,
    quantities: Quantities,
    settings: Mapping[str, str],
    images: int,
    published: Mapping[str, Any],
    name: str,
) -> dict[str, Any]:
    """The row of a run beside the published value `name`, but for the passes of its training.

    upper allows for the bias of our estimate of log p(x) as well; theirs has one, too, unknown.

    Args:
        quantities: rows of tables/summary.csv of the run.
        settings: the run's, as tables/settings.csv has them.
        images: its test images.
    """
    value = published["values"][name]
    recipe = published["recipes"][value["recipe"]]
    ours = quantities["log_likelihood"]
    parts, half = error_parts(quantities, value["error"], images, recipe["test_images"])
    difference = ours["mean"] - value["log_likelihood"]
    upper = quantities.get("log_likelihood_upper", ours)  # itself, where it is exact
    shortfall = max(0.0, upper["mean"] - ours["mean"])
    return {
        "run": run,
        "published": name,
        "citation": f"{recipe['citation']}, {value['place']}",
        "otherwise": otherwise(settings, recipe_settings(published, name)),
        "published_value": float(value["log_likelihood"]),
        **{key: ours[key] for key in ("mean", "seed_sd", "seeds")},
        "difference": difference,
        "lower": difference - half,
        "upper": difference + half + shortfall,
        **parts,
        "shortfall": shortfall,
        "published_passes": recipe["passes"],
    }


def reproductions(
    summary: pd.DataFrame,
    passes: pd.Series,
    images: pd.Series,
    settings: pd.DataFrame,
    names: Mapping[str, str],
    published: Mapping[str, Any],
) -> pd.DataFrame:
    """One row per run that names a published value, sorted; nats per image.

    Args:
        passes: over the training images, of each run.
        images: test images of each run.
        settings: tables/settings.csv.
        names: the published value of a run.
    """
    rows = []
    for run, name in sorted(names.items()):
        mine = summary[summary["run"] == run].to_dict("records")
        quantities = {str(row["quantity"]): row for row in mine}
        of_run = settings[settings["run"] == run]
        own = dict(zip(of_run["key"], of_run["value"], strict=True))
        row = reproduction(run, quantities, own, images[run], published, name)
        rows.append({**row, "passes": passes[run]})
    frame = pd.DataFrame(rows, columns=list(REPRODUCTION.names))
    return frame.astype(
        dict.fromkeys(REPRODUCTION.floats + REPRODUCTION.optional, float)
        | dict.fromkeys(REPRODUCTION.integers, int)
    )
