"""Our log p(x) beside published ones, with the share of the published recipe that was run."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from published_values import read_published
from result_files import METRICS, REPRODUCTION, SUMMARY, in_one_line, read_table
from tables import write

snakemake: Any  # Snakemake puts it into scripts of `script:`

ERRORS = ("data_error", "monte_carlo_error", "seed_sd")


def trained_passes(training: pd.DataFrame) -> pd.Series:
    """Passes over the training images of each run; of its shortest training, if they differ."""
    return training.groupby(["run", "seed"])["epoch"].max().groupby("run").min()


def reproductions(
    summary: pd.DataFrame,
    passes: pd.Series,
    names: Mapping[str, str],
    published: Mapping[str, Any],
) -> pd.DataFrame:
    """One row per run that names a published value, sorted; nats per image.

    Args:
        passes: over the training images, of each run.
        names: the published value of a run.
    """
    ours = summary[summary["quantity"] == "log_likelihood"].set_index("run")
    rows = []
    for run, name in sorted(names.items()):
        value = published["values"][name]
        recipe = published["recipes"][value["recipe"]]
        rows.append(
            {
                "run": run,
                "published": name,
                "citation": f"{recipe['citation']}, {value['place']}",
                "published_value": float(value["log_likelihood"]),
                "published_error": value["error"],
                "difference": ours.loc[run, "mean"] - value["log_likelihood"],
                "share": passes[run] / recipe["passes"] if recipe["passes"] else None,
                **ours.loc[run, ["mean", *ERRORS, "seeds"]],
            }
        )
    frame = pd.DataFrame(rows, columns=list(REPRODUCTION.names))
    return frame.astype({"published_error": float, "share": float, "seeds": int})


if __name__ == "__main__":
    with in_one_line():
        found = reproductions(
            read_table(snakemake.input.summary, SUMMARY),
            trained_passes(read_table(snakemake.input.training, METRICS.gathered)),
            snakemake.params.published,
            read_published(snakemake.input.published),
        )
        write(found, snakemake.output.reproduction)
