"""Tables of the chapter that are made up, small."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import logsumexp

from elboflow.chapter.by_hand import by_hand
from elboflow.chapter.discrete import states_of
from elboflow.chapter.jensen import jensen_table, posterior
from elboflow.chapter.mixture import FAMILIES, gaussian, gaussian_rate
from elboflow.chapter.posteriors import components
from elboflow.chapter.surface import surface
from elboflow.chapter.tables import DECIMALS
from elboflow.reading.csv_tables import write_table
from elboflow.vae.measure.quadrature import log_prior, nodes


def with_interval(name: str, value: float, low: float, high: float) -> dict[str, float]:
    return {name: value, f"{name}_low": low, f"{name}_high": high}


def write_tables(folder: Path) -> None:
    """results/chapter, small."""
    folder.mkdir(parents=True)
    write_classifiers(folder)
    for name, table in by_hand().items():
        write_table(table, folder / f"{name}.csv", 12)
    every = np.array([0.0, 0.4, 0.5, posterior()[0], 0.9, 1.0])
    write_table(jensen_table(every), folder / "jensen.csv", 15)
    write_plane(folder)
    write_switches(folder)


def classifier_rows() -> list[dict[str, Any]]:
    """Two classifiers at two thresholds each."""
    both = {"data": "digits: 8 or another", "test": 40, "positives": 4}
    rates = {
        **with_interval("precision", 0.75, 0.5, 0.9),
        **with_interval("recall", 1.0, 0.6, 1.0),
    }
    counts = {"true_positives": 3, "false_positives": 1, "constant": 2}
    ends = {
        **with_interval("average_precision", 0.9, 0.4, 0.98),
        **{"cross_entropy_low_nats": 0.02, "cross_entropy_high_nats": 0.11},
    }
    return [
        {
            **both,
            "model": model,
            "threshold": threshold,
            **rates,
            **counts,
            **ends,
            "cross_entropy_nats": 0.05,
            "log_p_nats": log_p,
            "log_p_error_nats": log_p and 1.2,
        }
        for model, log_p in (("discriminative", None), ("generative", -127.5))
        for threshold in (0.5, 0.9)
    ]


def write_classifiers(folder: Path) -> None:
    rows = classifier_rows()
    write_table(pd.DataFrame(rows), folder / "classifiers.csv", DECIMALS)
    bins = [
        {
            **{"data": row["data"], "model": row["model"], "from": 0.9, "to": 1.0},
            **{"cases": 4, "positives": 3, "mean_p": mean},
            **with_interval("share", 0.75, 0.3, 0.95),
        }
        for row, mean in zip(rows[::2], (0.93, 0.999), strict=True)
    ]
    write_table(pd.DataFrame(bins), folder / "reliability.csv", DECIMALS)
    curve = {"threshold": [0.1, 0.6, 1.0], "precision": [0.1, 0.75, 1.0], "recall": [1, 0.5, 0.0]}
    curves = [pd.DataFrame(curve).assign(data=row["data"], model=row["model"]) for row in rows[::2]]
    write_table(pd.concat(curves), folder / "curves.csv", DECIMALS)


def write_plane(folder: Path) -> None:
    """What belongs to a latent plane: two images, and a q of every family for each."""
    axis = nodes(0.1)
    likelihood = np.stack([log_prior(axis + shift) - 20 for shift in (0.5, -0.3)])
    images = {"image": np.array([7, 2]), "binary": np.eye(64)[:2]}
    np.savez(folder / "grid.npz", axis=axis, log_likelihood=likelihood, **images)
    evidence = {
        "image": [7, 2],
        "log_p_nats": [-24.0, -22.0],
        "coarse_log_p_nats": [-24.0, -22.001],
        "encoder_elbo_nats": [-24.5, -22.5],
        "non_gaussianity_nats": [0.1, 0.2],
    }
    write_table(pd.DataFrame(evidence), folder / "evidence.csv", DECIMALS)
    measured, parts = [], []
    for image in (7, 2):
        for place, family in enumerate(FAMILIES):
            gap = 0.4 - 0.1 * place
            q = gaussian(np.array([-0.2, 0.1 * place]), 0.5 * np.eye(2))
            measured.append(
                {
                    "image": image,
                    "family": family.name,
                    "parameters": family.parameters,
                    "rate_nats": gaussian_rate(q),
                    "distortion_nats": 22 + gap - gaussian_rate(q),
                    "elbo_nats": -22 - gap,
                    "log_p_nats": -22.0,
                    "gap_nats": gap,
                    "kl_nats": gap,
                }
            )
            parts.append(components(q).assign(image=image, family=family.name))
    write_table(pd.DataFrame(measured), folder / "posteriors.csv", DECIMALS)
    write_table(pd.concat(parts), folder / "components.csv", DECIMALS)
    write_table(
        surface(likelihood[0], axis, (-0.2, 0.1)).assign(image=7),
        folder / "elbo_surface.csv",
        DECIMALS,
    )


def write_switches(folder: Path) -> None:
    joint = np.log([0.1, 0.05, 0.02, 0.3])
    states = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    table = {
        "image": [0, 1],
        "log_p_nats": [-24.0, -23.0],
        "elbo_nats": [-24.25, -23.5],
        "gap_nats": [0.25, 0.5],
        "kl_nats": [0.25, 0.5],
    }
    write_table(pd.DataFrame(table), folder / "discrete.csv", 12)
    write_table(states_of(1, joint, np.log(np.full(4, 0.25)), states), folder / "states.csv", 12)
    assert logsumexp(joint) < 0
    gradients = {
        "estimator": ["exact", "gumbel_softmax"],
        "norm_nats": [4.4, 4.4],
        "bias_nats": [0.0, 0.571],
        "bias_error_nats": [0.0, 0.014],
        "sd_nats": [0.0, 3.18],
        "temperature": [None, 0.5],
    }
    write_table(pd.DataFrame(gradients), folder / "gradients.csv", DECIMALS)
