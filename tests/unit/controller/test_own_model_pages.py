"""Tables, figures and report of models without latents and of weights that were trained elsewhere.

Beside a built-in run, and alone: what they lack is left out, and nothing else.
"""

import csv
import io
import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

Jobs = Callable[[Path], list[dict[str, Any]]]
Runner = Callable[..., subprocess.CompletedProcess[str]]
KEPT = ("log_likelihood", "bits_per_dim", "noise_floor", "mean_image", "binarisation_sd")
KEPT_KINDS = ("sample", "training", "train_log_likelihood", "train_minus_test")


def rewrite(path: Path, keep: Callable[[dict[str, str]], bool], drop: tuple[str, ...] = ()) -> None:
    """A CSV with those rows alone, and without the columns `drop`."""
    reader = csv.DictReader(io.StringIO(path.read_text()))
    columns = [name for name in reader.fieldnames or () if name not in drop]
    rows = [[row[name] for name in columns] for row in reader if keep(row)]
    path.write_text("\n".join(",".join(row) for row in [columns, *rows]) + "\n")


def retrain(results: Path, run: str, **training: Any) -> None:
    path = results / "runs" / run / "run.json"
    document = json.loads(path.read_text())
    document["training"] |= training
    path.write_text(json.dumps(document))


def without_latents(results: Path, run: str, samples: bool = True) -> None:
    """As the evaluation of an exact model leaves them."""
    retrain(results, run, model="some/where/my_models.py:Flow", observes="binary")
    for seed in (results / "runs" / run).glob("seed*"):
        (seed / "model.json").write_text('{"noise": "seeded"}')
    lost = ("elbo_nats", "elbo_monte_carlo_error_nats", "rate_nats", "distortion_nats")
    for seed in (results / "runs" / run).glob("seed*"):
        rewrite(
            seed / "summary.csv",
            lambda row: row["quantity"] in KEPT or row["quantity"].startswith(KEPT_KINDS),
        )
        rewrite(
            seed / "per_image.csv",
            lambda _: True,
            (*lost, "log_likelihood_monte_carlo_error_nats"),
        )
        for name in ("units", "bound_against_k"):
            rewrite(seed / f"{name}.csv", lambda _: False)
        arrays = dict(np.load(seed / "images.npz"))
        for name in ["reconstruction", *([] if samples else ["sample"])]:
            del arrays[name]
        np.savez(seed / "images.npz", **arrays)


def with_weights(results: Path, run: str) -> None:
    """As a training leaves them that only validated."""
    retrain(results, run, weights="downloads/vae.safetensors")
    for seed in (results / "runs" / run).glob("seed*"):
        path = seed / "metrics.csv"
        rewrite(path, lambda row: row["epoch"] == "8")
        header, row = path.read_text().splitlines()
        cells = ["0", "0", *[""] * 7, *row.split(",")[9:]]
        path.write_text(f"{header}\n{','.join(cells)}\n")


@pytest.fixture(scope="module")
def build(script_jobs: Jobs, scripts_runner: Runner) -> Callable[[Path], str]:
    """Makes tables, figures and report of a folder; what a reader sees of the report."""

    def make(folder: Path) -> str:
        done = scripts_runner(script_jobs(folder), cwd=folder)
        assert done.returncode == 0, done.stderr
        assert "Warning" not in done.stderr
        html = (folder / "results" / "report.html").read_text(encoding="utf-8")
        body = re.sub(r"base64,[A-Za-z0-9+/=]+", "", html.split("<body>")[1])
        ascii_alone = body.replace("\N{EN DASH}", "-").replace("\N{MINUS SIGN}", "-")
        return " ".join(re.sub(r"<[^>]+>", " ", ascii_alone).split())

    return make


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, make_results: Callable[..., Path]) -> Path:
    made = make_results(tmp_path_factory.mktemp("beside"), runs=["exact", "given", "plain"])
    without_latents(made / "results", "exact")
    with_weights(made / "results", "given")
    return made


@pytest.fixture(scope="module")
def page(folder: Path, build: Callable[[Path], str]) -> str:
    return build(folder)


def rows_of(folder: Path, table: str) -> list[dict[str, str]]:
    with (folder / "results" / "tables" / f"{table}.csv").open() as file:
        return list(csv.DictReader(file))


def test_the_report_says_whose_the_models_are_and_what_is_left_out(page: str) -> None:
    assert (
        "exact own model my_models.py:Flow binary images trained here seeded "
        "given built-in binary images weights given, not trained here: vae.safetensors injected"
    ) in page
    assert "exact has no latents: log p(x) is exact, and what only latents have" in page
    assert "some/where" not in page.split("Settings")[0]


def test_results_of_an_exact_model_have_dashes_in_the_place_of_what_it_lacks(page: str) -> None:
    main = page.split("Results in full")[-1].split("Own models and given weights")[0]
    assert re.search(r"exact -20\.00 data 0\.35 MC 0\.025 2 seeds 1 exact - - - - - 0\.5000 ", main)
    assert main.count("mean image -40.00") == 1  # that of equal pixels, whosever the model is
    assert "exact 1 -19.00 - - - - - - " in page.split("Every training")[1]


def test_runs_compare_where_both_have_a_quantity(folder: Path, page: str) -> None:
    pairs = {(row["run"], row["other"], row["quantity"]) for row in rows_of(folder, "comparisons")}
    assert {quantity for one, other, quantity in pairs if "exact" in (one, other)} == {
        "log_likelihood"
    }
    assert ("given", "plain", "elbo") in pairs
    (exact,) = [
        r for r in rows_of(folder, "comparisons") if (r["run"], r["other"]) == ("exact", "plain")
    ]
    assert float(exact["run_shortfall"]) == 0


def test_the_paper_names_the_model_and_says_exact(folder: Path, page: str) -> None:
    rows = {row["run"]: row for row in rows_of(folder, "paper")}
    exact = rows["exact"]
    assert exact["likelihood"] == "own model my_models.py:Flow"
    assert exact["log_likelihood_interval"] == "exact"
    assert exact["rate"] == exact["elbo"] == exact["active_units"] == ""
    assert " to " in rows["plain"]["log_likelihood_interval"] and rows["plain"]["rate"]
    tex = (folder / "results/tables/paper.tex").read_text()
    assert r"own model my\_models.py:Flow" in tex and "& exact &" in tex


def test_settings_that_do_not_apply_are_none_of_a_run(folder: Path, page: str) -> None:
    keys: dict[str, set[str]] = {}
    for row in rows_of(folder, "settings"):
        keys.setdefault(row["run"], set()).add(row["key"])
    assert not {"likelihood", "posterior", "latent_dim", "weights"} & keys["exact"]
    assert {"model", "observes", "epochs"} <= keys["exact"]
    assert not {"epochs", "beta", "learning_rate", "model"} & keys["given"]
    assert {"weights", "likelihood"} <= keys["given"]
    assert not {"model", "observes", "weights", "files", "model_options"} & keys["plain"]


def test_an_exact_model_has_no_rows_of_latents(folder: Path, page: str) -> None:
    assert {row["run"] for row in rows_of(folder, "units")} == {"given", "plain"}
    assert {row["run"] for row in rows_of(folder, "bound_against_k")} == {"given", "plain"}
    (row, *_) = [row for row in rows_of(folder, "training") if row["run"] == "given"]
    assert (row["epoch"], row["learning_rate"], row["train_elbo_nats"]) == ("0", "", "")


@pytest.mark.parametrize("samples", [True, False])
def test_a_report_of_exact_models_alone_is_whole(
    tmp_path: Path, make_results: Callable[..., Path], build: Callable[[Path], str], samples: bool
) -> None:
    alone = make_results(tmp_path, runs=["flow"], seeds=[3])
    without_latents(alone / "results", "flow", samples)
    with_weights(alone / "results", "flow")
    page = build(alone)
    assert "own model my_models.py:Flow" in page and "weights given, not trained here" in page


def test_a_model_with_latents_that_lacks_rows_is_damaged(
    folder: Path, page: str, script_jobs: Jobs, scripts_runner: Runner
) -> None:
    path = folder / "results/runs/plain/seed1/units.csv"
    before = path.read_text()
    path.write_text(before.splitlines()[0] + "\n")
    done = scripts_runner(script_jobs(folder)[:1], cwd=folder)
    path.write_text(before)
    assert done.returncode != 0 and "units.csv: a header without rows" in done.stderr
