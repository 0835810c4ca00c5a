"""The table for a paper: its numbers, and what is escaped; nothing is compiled."""

import re
from pathlib import Path

import pandas as pd
import pytest

from elboflow.reading.notation import error_decimals, plain, with_error
from elboflow.reading.paper import latex, paper_table

NAN = float("nan")


@pytest.mark.parametrize(
    ("value", "error", "shown"),
    [
        *((-101.234, 0.1134, "-101.23(11)"), (-101.236, 0.11, "-101.24(11)")),
        *((-85.3, 1.44, "-85.3(14)"), (-1234.5, 12.3, "-1234(12)"), (-1234.5, 123.4, "-1234(120)")),
        *((0.51234, 0.00234, "0.5123(23)"), (2.0, 0.0999, "2.00(10)"), (2.0, 0.00996, "2.000(10)")),
        *((-0.001, 0.5, "0.00(50)"), (3.14159, NAN, "3.14"), (3.14159, 0.0, "3.14")),
    ],
)
def test_errors_are_in_units_of_the_last_digits(value: float, error: float, shown: str) -> None:
    assert with_error(value, error) == shown


@pytest.mark.parametrize("error", [3e-5, 0.00995, 0.0999, 0.1, 0.994, 1.0, 9.96, 45.0])
def test_value_and_error_can_be_read_back(error: float) -> None:
    match = re.fullmatch(r"(-?[\d.]+)\((\d+)\)", with_error(-17.123456789, error))
    assert match is not None
    unit = 10.0 ** -error_decimals(error)
    assert float(match[2]) * unit == pytest.approx(error, rel=0.05)
    assert float(match[1]) == pytest.approx(-17.123456789, abs=0.5001 * unit)
    assert plain(-1e-9, 2) == "0.00"


def tables(*runs: tuple[str, float, float]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Summary and settings of runs (name, log p(x), standard deviation over seeds)."""
    rows, settings = [], []
    for run, mean, spread in runs:
        seeds = 1 if spread != spread else 2
        rows.append((run, "log_likelihood", mean, 0.113, 0.01, spread, seeds))
        rows.append((run, "log_likelihood_lower", mean - 0.02, NAN, NAN, spread, seeds))
        rows.append((run, "log_likelihood_upper", mean + 0.06, NAN, NAN, spread, seeds))
        rows.append((run, "rate", 5.0, 0.04, NAN, spread, seeds))
        rows.append((run, "active_units", 18.5, NAN, NAN, spread, seeds))
        for key, value in (("dataset", "my_data"), ("likelihood", "bernoulli")):
            settings.append((run, "training", key, value))
    names = ["run", "quantity", "mean", "data_error", "monte_carlo_error", "seed_sd", "seeds"]
    return (
        pd.DataFrame(rows, columns=names),
        pd.DataFrame(settings, columns=["run", "part", "key", "value"]),
    )


def test_one_row_per_run_best_first() -> None:
    table = paper_table(*tables(("one", -101.234, 0.25), ("two", -99.5, NAN))).set_index("run")
    assert table.index.tolist() == ["two", "one"]
    assert table["log_likelihood"].tolist() == ["-99.50(11)", "-101.23(11)"]
    assert table["log_likelihood_interval"].tolist() == [
        "-99.520 to -99.440",
        "-101.254 to -101.174",
    ]
    assert table["log_likelihood_seed_sd"].tolist() == ["", "0.2"]
    assert table["active_units"].tolist() == ["18.5", "18.5"]
    assert table["seeds"].tolist() == ["1", "2"]
    assert table["elbo"].tolist() == ["", ""], "what was not measured stays empty"


def test_names_are_escaped_and_numbers_are_mathematics() -> None:
    lines = latex(paper_table(*tables((r"a_b&c%$#{}~^\d", -101.234, 0.25)))).splitlines()
    body = [line for line in lines if not line.startswith("%")]
    assert body[0] == r"\begin{tabular}{lllrrrrrrrrr}"
    assert (body[1], body[3], body[5]) == (r"\toprule", r"\midrule", r"\bottomrule")
    assert body[6:] == [r"\end{tabular}"]
    name, *cells = body[4].removesuffix(r" \\").split(" & ")
    assert name.replace(" ", "") == (
        r"a\_b\&c\%\$\#\{\}\textasciitilde\textasciicircum\textbackslashd"
    )
    assert cells[:3] == [r"my\_data", "bernoulli", "$-101.23(11)$"]
    assert cells[3] == "$-101.254$ to $-101.174$"
    assert body[2].count("&") == body[4].count(" & ") == 11
    assert cells[-2:] == ["$0.2$", "$2$"]


def test_the_files_of_finished_runs(finished: Path, script_jobs, scripts_runner) -> None:
    done = scripts_runner(script_jobs(finished), cwd=finished)
    assert done.returncode == 0, done.stderr
    folder = finished / "results" / "tables"
    # Means of -19 and -21, whose data errors are 0.3 and 0.4, with 2 ** 0.5 between them.
    assert (
        "alpha,tiny,bernoulli,-20.00(35),-20.03 to -19.75,-21.00(35),"
        in (folder / "paper.csv").read_text()
    )
    assert rb"alpha & tiny & bernoulli & $-20.00(35)$" in (folder / "paper.tex").read_bytes()
    assert b"\r" not in (folder / "paper.tex").read_bytes()
