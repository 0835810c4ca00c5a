"""The tables of bounds on log p(x), and the part of the report that shows them."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from elboflow.pages.bounds import bounds_tables
from elboflow.pages.gap_parts import gap_rows
from elboflow.reading.errors import InputError
from elboflow.reading.tables_bounds import bounds_of_runs

HEADER = (
    "origin,image,importance_nats,importance_error_nats,importance_ess,importance_pareto_k,"
    "ais_nats,ais_error_nats,ais_ess,ais_acceptance,upper_nats,"
    "upper_error_nats,elbo_nats,elbo_error_nats,best_elbo_nats,best_elbo_error_nats,"
    "amortisation_nats,amortisation_error_nats"
)
ROWS = [
    "test,0,-21.0,0.3,50,inf,-20.0,0.4,8,0.6,,,-22.0,0.1,-21.5,0.1,0.5,0.02",
    "test,1,-23.0,0.4,150,0.2,-23.0,0.3,10,0.7,,,-23.5,0.1,-23.25,0.1,0.25,0.02",
    "simulated,0,-18.5,0.1,50,0.5,-18.25,0.1,8,0.6,-18.0,0.1,,,,,,",
    "simulated,1,-19.5,0.1,50,0.5,-19.75,0.1,8,0.6,-19.0,0.1,,,,,,",
]


def write_bounds(folder: Path, run: str = "alpha", seeds: tuple[int, ...] = (1, 2)) -> list[Path]:
    paths = [folder / f"results/runs/{run}/seed{seed}/bounds.csv" for seed in seeds]
    for path in paths:
        path.write_text("\n".join([HEADER, *ROWS]) + "\n")
    return paths


@pytest.mark.promise(
    "importance, ais, upper, ais_minus_importance, upper_minus_ais, upper_minus_importance",
    "means and differences of the same images",
    "against the formulas",
)
def test_means_over_images_with_their_errors(finished: Path) -> None:
    table = bounds_of_runs(write_bounds(finished)).set_index(["seed", "quantity"]).loc[1]
    assert table.loc["test_importance", "value"] == -22.0
    assert table.loc["test_importance", "data_error"] == pytest.approx(1.0)  # sqrt(2) / sqrt(2)
    assert table.loc["test_importance", "monte_carlo_error"] == pytest.approx(0.25)
    assert table.loc["test_ais_minus_importance", "value"] == pytest.approx(0.5)
    assert table.loc["test_ais_minus_importance", "data_error"] == pytest.approx(0.5)
    error = (2 * 0.5**2) ** 0.5 / 2  # each image's is that of 0.3 and 0.4
    assert table.loc["test_ais_minus_importance", "monte_carlo_error"] == pytest.approx(error)
    assert table.loc["simulated_upper_minus_ais", "value"] == pytest.approx(0.5)
    assert table.loc["simulated_upper_minus_importance", "value"] == pytest.approx(0.5)
    assert "test_upper" not in table.index


@pytest.mark.promise(
    "approximation_gap, amortisation_gap",
    "add up to log p(x) - ELBO of these images",
    "against the formulas",
)
def test_the_gap_is_split_by_the_nearer_estimate_of_log_p(finished: Path) -> None:
    """AIS has the larger mean, -21.5 against -22."""
    table = bounds_of_runs(write_bounds(finished)).set_index(["seed", "quantity"]).loc[1]
    values = {
        name: table.loc[f"test_{name}", "value"]
        for name in ("gap", "approximation_gap", "amortisation_gap")
    }
    assert values == {"gap": 1.25, "approximation_gap": 0.875, "amortisation_gap": 0.375}
    error = table.loc["test_amortisation_gap", "monte_carlo_error"]
    assert error == pytest.approx(2**0.5 * 0.02 / 2)
    error = (0.4**2 + 0.3**2 + 2 * 0.1**2) ** 0.5 / 2
    assert table.loc["test_approximation_gap", "monte_carlo_error"] == pytest.approx(error)
    assert "simulated_gap" not in table.index


def test_a_family_without_a_search_has_no_parts(finished: Path) -> None:
    (path, *_) = write_bounds(finished)
    path.write_text(
        re.sub(r",-2\d\.\d+,0\.1,-2\d\.\d+,0\.1,0\.\d+,0\.02", ",,,,,,", path.read_text())
    )
    assert not bounds_of_runs([path])["quantity"].str.endswith("gap").any()


def test_a_damaged_table_is_refused(finished: Path) -> None:
    (path, *_) = write_bounds(finished)
    path.write_text(path.read_text().replace("-20.0", "nan"))
    with pytest.raises(InputError, match="ais_nats"):
        bounds_of_runs([path])


def test_the_report_shows_bounds_of_runs_that_have_them(
    finished: Path,
    script_jobs: Callable[[Path], list[dict[str, Any]]],
    scripts_runner: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    title = "How far off are the estimators"
    for ask in (False, True):
        if ask:
            write_bounds(finished)
        done = scripts_runner(script_jobs(finished), cwd=finished)
        assert done.returncode == 0, done.stderr
        html = (finished / "results" / "report.html").read_text(encoding="utf-8")
        assert (title in html) == ask
        assert ("Importance sampling against AIS" in html) == ask
        assert (finished / "results/tables/bounds_summary.csv").exists() == ask
    section = html.split('<h2 id="bounds">')[1].split("</section>")[0]
    rows = re.findall(r'<th scope="row">(\w+)</th>\s*<td class="number"><b>([^<]+)', section)
    minus = "\N{MINUS SIGN}"
    shown = [f"{minus}22.00", f"{minus}18.50", "1.250"]
    assert rows == [("alpha", value) for value in shown]
    assert "Not measured" not in section


def test_runs_whose_gap_is_not_split_are_named() -> None:
    values = {
        "plain": ("gaussian", "null"),
        "iaf": ("flow", "null"),
        "deep": ("gaussian", "2"),
        "switch": ("categorical", "null"),
    }
    settings = pd.DataFrame(
        [
            {"run": run, "part": "training", "key": key, "value": value}
            for run, both in values.items()
            for key, value in zip(("posterior", "second_latent_dim"), both, strict=True)
        ]
    )
    found = gap_rows(None, settings)
    assert found == {"rows": [], "discrete": ["switch"], "not_searched": ["deep", "iaf"]}


def test_no_tables_without_bounds() -> None:
    assert bounds_tables(None) == []
    assert isinstance(bounds_tables(pd.DataFrame({"run": []})), list)
