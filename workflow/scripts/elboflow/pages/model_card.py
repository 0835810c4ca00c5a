"""The card of a trained model, as README.md beside its files: what it is, how good, how to use it.

In the form that model hubs read: facts for machines in YAML at the head, the rest in Markdown.
"""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from elboflow.pages.html import render
from elboflow.pages.settings import warnings_of
from elboflow.pages.tables import log_likelihood_interval
from elboflow.reading.columns import CHECKS, RESULTS
from elboflow.reading.csv_tables import read_table
from elboflow.reading.json_files import is_integer, is_positive, is_shape, is_text, read_json
from elboflow.reading.notation import error_decimals, number, significant
from elboflow.vae.choices import DATA

MODEL = {
    "run": is_text,
    **dict.fromkeys(("seed", "latent_dim"), is_integer),
    "observes": lambda value: is_text(value) and value in DATA,
    "specification": {},
    "dataset": {"name": is_text, "origin": is_text, "licence": is_text},
    "image_shape": is_shape,
    "levels": is_positive,
    "versions": {"torch": is_text, "numpy": is_text},
    "digests": {"weights": is_text},
}
# What is shown, in words, with so many decimals where there is no error.
QUANTITIES = {
    "log_likelihood": ("log p(x), by importance sampling: low on average", 2),
    "log_likelihood_lower": ("log p(x), 95 % interval with that bias", 2),
    "exact_log_likelihood": ("log p(x), exact", 2),
    "elbo": ("ELBO", 2),
    "rate": ("rate", 2),
    "distortion": ("distortion", 2),
    "bits_per_dim": ("bits/dim", 4),
    "mean_image": ("log p(x) of the mean training image, a baseline", 2),
    "noise_floor": ("what no model of binarised images can be above", 2),
    "active_units": ("active latent dimensions", 0),
    "heavy_tail_share": ("share of images whose log p(x) is not to be trusted", 3),
}
# Of models without latents, and so without a rate.
EXACT_QUANTITIES = {
    "log_likelihood": ("log p(x), exact", 2),
    **{name: QUANTITIES[name] for name in ("bits_per_dim", "mean_image", "noise_floor")},
}
METRICS = ("log_likelihood", "exact_log_likelihood", "elbo", "bits_per_dim")
BUILT_IN_KEYS = (
    *("likelihood", "posterior", "prior", "latent_dim"),
    *("encoder_layers", "decoder_layers", "channels"),
)
OWN_KEYS = ("model", "model_options", "observes")
TRAINING_KEYS = ("objective", "batch_size", "learning_rate", "precision")
# By how the licence of a data set begins, its name on hubs.
LICENCES = {"MIT": "mit", "BSD-3-Clause": "bsd-3-clause", "CC BY 4.0": "cc-by-4.0"}


def model_card(template: Path, description: Path, summary: Path, checks: Path) -> str:
    """The whole card; raises InputError for inputs that cannot be used."""
    model = read_json(description, MODEL)
    results = read_table(summary, RESULTS).set_index("quantity")
    checked = read_table(checks, CHECKS)
    body = render(
        template,
        model=model,
        epoch=model.get("epoch"),  # 0 of weights that were trained elsewhere
        data=model["dataset"],
        images=_images(model),
        observes=DATA[model["observes"]].pixels,
        count=int(results["images"].iloc[0]),
        rows=_rows(results),
        warnings=warnings_of(checked),
        settings=_settings(model["specification"]),
    )
    head = yaml.safe_dump(_head(model, results), sort_keys=False, allow_unicode=True)
    return f"---\n{head}---\n{body}"


def _head(model: Mapping[str, Any], results: pd.DataFrame) -> dict[str, Any]:
    """What hubs read of a card."""
    licence = model["dataset"]["licence"]
    known = [name for text, name in LICENCES.items() if licence.startswith(text)]
    rows: dict[Any, Any] = results.to_dict("index")
    found = [(name, rows[name]) for name in METRICS if name in rows]
    metrics = [
        {"type": name, "name": f"{name}, {row['unit']}", "value": round(row["value"], 4)}
        for name, row in found
    ]
    dataset = model["dataset"]["name"]
    result = {
        "task": {"type": "unconditional-image-generation"},
        "dataset": {"type": dataset, "name": dataset, "split": "test"},
        "metrics": metrics,
    }
    tags = ["density-estimation", "image-generation", "log-likelihood"]
    tags += ["variational-autoencoder"] if model["latent_dim"] else []
    name = f"{model['run']}-seed{model['seed']}"
    return {
        "library_name": "elboflow",
        "license": known[0] if known else "unknown",
        "tags": tags,
        "metrics": [metric["type"] for metric in metrics],
        "model-index": [{"name": name, "results": [result]}],
    }


def _images(model: Mapping[str, Any]) -> dict[str, Any]:
    """Of what size the images are, and how arrays of them look."""
    shape = model["image_shape"]
    return {
        "size": " x ".join(map(str, shape[:2])) + " pixels" + (" in colour" if shape[2:] else ""),
        "shapes": f"(N, {', '.join(map(str, shape))}) or (N, {math.prod(shape)})",
    }


def _rows(results: pd.DataFrame) -> list[list[str]]:
    """Name, value and errors of what was measured, as text."""
    rows = []
    found: dict[Any, Any] = results.to_dict("index")
    shown = QUANTITIES if "rate" in found else EXACT_QUANTITIES
    for quantity, (words, decimals) in shown.items():
        if quantity in found:
            row = found[quantity]
            errors = [row[name] for name in ("data_error", "monte_carlo_error")]
            digits = min(error_decimals(errors[0]), 6) if errors[0] > 0 else decimals
            value = number(row["value"], digits)
            if quantity == "log_likelihood_lower":
                value = log_likelihood_interval(results.rename(columns={"value": "mean"}))
            rows.append([words, value, *(significant(e) if e > 0 else "" for e in errors)])
    return rows


def _settings(specification: Mapping[str, Any]) -> str:
    """What decides how the model looks, as YAML whose values are one line each."""
    own = OWN_KEYS if specification.get("model") else BUILT_IN_KEYS
    training = ("weights",) if specification.get("weights") else TRAINING_KEYS
    values = {key: specification.get(key) for key in (*own, *training)}
    given = {key: value for key, value in values.items() if value not in (None, [], {})}
    return yaml.safe_dump(given, sort_keys=False, default_flow_style=None, width=10**6)
