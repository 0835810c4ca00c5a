"""One row per run, ready for a paper: as CSV, and as a LaTeX table for the package booktabs."""

from pathlib import Path

import numpy as np
import pandas as pd

from elboflow.files.whole import write_bytes, write_result
from elboflow.reading.notation import digits_of, error_decimals, plain, significant, with_error
from elboflow.reading.settings import kinds, likelihoods

FIRST_COLUMNS = {"run": "run", "dataset": "data", "likelihood": "likelihood"}
# Quantity, heading in LaTeX, decimals where it has no error.
QUANTITY_COLUMNS = [
    ("log_likelihood", r"$\log p(x)$", 2),
    ("log_likelihood_interval", r"$\log p(x)$ within", 2),
    ("elbo", "ELBO", 2),
    ("rate", "rate", 2),
    ("distortion", "distortion", 2),
    ("bits_per_dim", "bits/dim", 4),
    ("active_units", "active units", 1),
]
LAST_COLUMNS = {"log_likelihood_seed_sd": r"s.d.\ of $\log p(x)$", "seeds": "seeds"}
EXACT = "exact"
COMMENT = r"""% Means over seeds on the test images, in nats per image (bits per dimension, units).
% (..): standard error over the test images in units of the last digits; -101.23(11) is -101.23
% with an error of 0.11. log p(x): the bound of K importance samples, low on average; within: 95 %
% interval of log p(x) of these images, that bias included. s.d.: of log p(x) between so
% many seeds, to one digit.
% In the preamble: \usepackage{booktabs}
"""


def paper_table(summary: pd.DataFrame, settings: pd.DataFrame) -> pd.DataFrame:
    """Values as text with errors in parentheses, one row per run.

    Runs of one data set that observe the same of it stand together, the best log p(x) first.
    """
    of_run, names_of = kinds(settings), likelihoods(settings)
    found = {(row["run"], row["quantity"]): row for row in summary.to_dict("records")}

    def order(run: str) -> tuple[tuple[str, str], float, str]:
        return of_run[run], -found[run, "log_likelihood"]["mean"], run

    rows = []
    for run in sorted(of_run, key=order):
        names = {"run": run, "dataset": of_run[run][0], "likelihood": names_of[run]}
        values = {
            quantity: with_error(row["mean"], row["data_error"], decimals) if row else ""
            for quantity, _, decimals in QUANTITY_COLUMNS
            for row in [found.get((run, quantity))]
        }
        values["log_likelihood_interval"] = EXACT  # of a model without latents, and so without rate
        if (run, "rate") in found:
            ends = (found[run, f"log_likelihood_{end}"]["mean"] for end in ("lower", "upper"))
            values["log_likelihood_interval"] = _interval(*ends)
        own = found[run, "log_likelihood"]
        spread = (
            "" if np.isnan(own["seed_sd"]) else significant(own["seed_sd"], digits_of("seed_sd"))
        )
        last = {"log_likelihood_seed_sd": spread, "seeds": str(own["seeds"])}
        rows.append({**names, **values, **last})
    return pd.DataFrame(rows)


def _interval(lower: float, upper: float) -> str:
    width = upper - lower
    decimals = min(error_decimals(width), 6) if width > 0 else 2
    return f"{plain(lower, decimals)} to {plain(upper, decimals)}"


def in_mathematics(text: str) -> str:
    """Numbers in mathematics, for a true minus; the word between the ends of an interval is not."""
    words = text in ("", EXACT)
    return text if words else " to ".join(f"${number}$" for number in text.split(" to "))


def latex(table: pd.DataFrame) -> str:
    """The table as tabular of booktabs: text escaped, numbers in mathematics for a true minus."""
    headings = {
        **FIRST_COLUMNS,
        **{name: heading for name, heading, _ in QUANTITY_COLUMNS},
        **LAST_COLUMNS,
    }
    shown = table.copy()
    numbers = [name for name in headings if name not in FIRST_COLUMNS]
    shown[numbers] = shown[numbers].map(in_mathematics)
    style = shown.rename(columns=headings).style.hide(axis="index")
    style = style.format(escape="latex", subset=list(FIRST_COLUMNS.values()))
    columns = "l" * len(FIRST_COLUMNS) + "r" * len(numbers)
    return COMMENT + style.to_latex(hrules=True, column_format=columns)


def write_paper(table: pd.DataFrame, csv: str | Path, tex: str | Path) -> None:
    """Write the table as text, as CSV and for LaTeX."""
    write_result(csv, table.to_csv(index=False, lineterminator="\n").encode())
    write_bytes(Path(tex), latex(table).encode())
