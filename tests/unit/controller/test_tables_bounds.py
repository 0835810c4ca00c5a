"""The tables of bounds on log p(x), and the part of the report that shows them."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from report_bounds import bounds_tables
from result_files import InputError
from tables_bounds import gather

HEADER = (
    "origin,image,importance_nats,importance_error_nats,importance_ess,importance_pareto_k,"
    "ais_nats,ais_error_nats,ais_ess,ais_acceptance,upper_nats,"
    "upper_error_nats"
)
ROWS = [
    "test,0,-21.0,0.3,50,inf,-20.0,0.4,8,0.6,,",
    "test,1,-23.0,0.4,150,0.2,-23.0,0.3,10,0.7,,",
    "simulated,0,-18.5,0.1,50,0.5,-18.25,0.1,8,0.6,-18.0,0.1",
    "simulated,1,-19.5,0.1,50,0.5,-19.75,0.1,8,0.6,-19.0,0.1",
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
    table = gather(write_bounds(finished)).set_index(["seed", "quantity"]).loc[1]
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


def test_a_damaged_table_is_refused(finished: Path) -> None:
    (path, *_) = write_bounds(finished)
    path.write_text(path.read_text().replace("-20.0", "nan"))
    with pytest.raises(InputError, match="ais_nats"):
        gather([path])


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
        assert (finished / "results/tables/bounds_summary.csv").exists() == ask
    section = html.split('<h2 id="bounds">')[1].split("</section>")[0]
    rows = re.findall(r'<th scope="row">(\w+)</th>\s*<td class="number"><b>([^<]+)', section)
    assert rows == [("alpha", "−22.00"), ("alpha", "−18.50")]  # noqa: RUF001


def test_no_tables_without_bounds() -> None:
    assert bounds_tables(None) == []
    assert isinstance(bounds_tables(pd.DataFrame({"run": []})), list)
