"""The tables: their statistics, and what they refuse."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from elboflow.reading.columns import CHECKS, METRICS, RESULTS
from elboflow.reading.csv_tables import read_table, write_table
from elboflow.reading.errors import InputError
from elboflow.reading.json_files import read_json, read_manifest_json
from elboflow.reading.tables import gather_results, gather_settings, means_over_seeds, stack


def summaries(folder: Path) -> list[Path]:
    return sorted(folder.glob("results/runs/*/seed*/summary.csv"))


def row(summary: pd.DataFrame, run: str, quantity: str) -> pd.Series:
    chosen = summary[(summary["run"] == run) & (summary["quantity"] == quantity)]
    assert len(chosen) == 1
    return chosen.iloc[0]


@pytest.mark.promise(
    "seed_sd",
    "sample standard deviation of the trainings of a run",
    "against the formula",
)
def test_errors_of_the_mean_over_seeds(finished: Path) -> None:
    elbo = row(means_over_seeds(gather_results(summaries(finished))), "alpha", "elbo")
    assert elbo["mean"] == -21.0  # of -20 and -22
    assert elbo["data_error"] == pytest.approx(0.3535533906)  # sqrt((0.3^2 + 0.4^2) / 2)
    assert elbo["monte_carlo_error"] == pytest.approx(0.025)  # sqrt(0.03^2 + 0.04^2) / 2
    assert elbo["seed_sd"] == pytest.approx(2**0.5)
    assert elbo["seeds"] == 2


def test_an_error_without_meaning_stays_empty(
    tmp_path: Path, make_results: Callable[..., Path]
) -> None:
    summary = means_over_seeds(gather_results(summaries(make_results(tmp_path, seeds=[7]))))
    write_table(summary, tmp_path / "summary.csv")
    lines = (tmp_path / "summary.csv").read_text().splitlines()
    assert "alpha,active_units,units,2.000000,,,,1" in lines
    assert "alpha,elbo,nats per image,-20.000000,0.300000,0.030000,,1" in lines
    assert "alpha,rate,nats per image,5.000000,0.300000,,,1" in lines


def test_rows_are_sorted_and_names_stay_text(
    tmp_path: Path, make_results: Callable[..., Path]
) -> None:
    make_results(tmp_path, runs=["null", "NA", "007"], seeds=[10, 9])
    results = gather_results(summaries(tmp_path)[::-1])
    write_table(results, tmp_path / "runs.csv")
    read = read_table(tmp_path / "runs.csv", RESULTS.gathered)
    assert list(read["run"].unique()) == ["007", "NA", "null"]
    assert list(read["seed"].unique()) == [9, 10]
    assert list(read["quantity"][:10]) == sorted(read["quantity"][:10])


def test_order_of_the_inputs_does_not_matter(finished: Path) -> None:
    paths = sorted(finished.glob("results/runs/*/seed*/metrics.csv"))
    pd.testing.assert_frame_equal(
        stack(paths, METRICS, "epoch"), stack(paths[::-1], METRICS, "epoch")
    )


def test_settings_are_one_row_per_run_and_key(finished: Path) -> None:
    settings = gather_settings(sorted(finished.glob("results/runs/*/run.json")))
    rows = settings.itertuples(index=False, name=None)
    assert ("beta", "training", "encoder_layers", "[8]") in set(rows)
    assert settings.groupby("run").size().nunique() == 1


def test_floats_are_written_with_six_decimals(tmp_path: Path) -> None:
    frame = pd.DataFrame({"seed": [1], "learning_rate": [1.25e-7], "value": [-1e-9]})
    write_table(frame, tmp_path / "table.csv")
    assert (
        tmp_path / "table.csv"
    ).read_bytes() == b"seed,learning_rate,value\n1,1.25e-07,0.000000\n"


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (lambda text: "", "empty"),
        (lambda text: text.splitlines()[0] + "\n", "header without rows"),
        (lambda text: text[:-3], "cut off"),
        (lambda text: text.rsplit(",", 1)[0] + "\n", "is cut off"),
        (lambda text: text.replace("data_error", "error", 1), "no column 'data_error'"),
        (lambda text: text.replace("-21.0", "nan"), "'nan' is not a number"),
        (lambda text: text.replace(",53", ",5.5"), "'5.5' is not an integer"),
        (lambda text: text.replace(",53", ",1e30"), "'1e30' is not an integer"),
        (lambda text: text.replace(",53", f",{2**64 - 1}"), "'18446744073709551615' is not an in"),
        (lambda text: text.replace("unit,", "value,", 1), "more than one column 'value'"),
        (lambda text: text.replace("\n", ",x,x\n"), "more than one column 'x'"),
        (lambda text: text.replace("\n", ",7\n").replace(",7", ",seed", 1), "column 'seed'"),
        (lambda text: text + text.splitlines()[1] + "\n", "has quantity 'elbo' once more"),
        (lambda text: "\n".join(text.splitlines()[:8]) + "\n", "no quantity 'active_units'"),
    ],
)
def test_a_damaged_summary_is_refused_by_name(
    finished: Path, damage: Callable[[str], str], complaint: str
) -> None:
    path = finished / "results/runs/beta/seed1/summary.csv"
    path.write_text(damage(path.read_text().replace("-24.0", "-21.0")))
    with pytest.raises(InputError) as refusal:
        gather_results(summaries(finished))
    assert str(refusal.value).startswith(f"{path}: ")
    assert complaint in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "checks.csv"
    path.write_bytes(b"check,status,detail\n\xff\xfe,ok,\n")
    with pytest.raises(InputError, match=r"checks\.csv: not a CSV"):
        read_table(path, CHECKS)


def test_cut_json_is_refused(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text('{"run": "al')
    with pytest.raises(InputError, match=r"run\.json: not JSON"):
        read_json(tmp_path / "run.json", {})


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        ("5", "cannot be 5"),
        ("null", "cannot be null"),
        ("[" * 100_000, "not JSON"),
        ('{"training": []}', "'training' cannot be []"),
        ('{"training": {"dataset": 3}}', "'dataset' cannot be 3"),
        ('{"training": {"dataset": "tiny"}}', "no key 'patience'"),
        ('{"training": {"dataset": "tiny", "patience": null}}', "no key 'ais_bounds'"),
    ],
)
def test_a_damaged_specification_is_refused_by_name(
    finished: Path, document: str, complaint: str
) -> None:
    path = finished / "results/runs/beta/run.json"
    path.write_text(document)
    with pytest.raises(InputError) as refusal:
        gather_settings([path])
    assert str(refusal.value).startswith(f"{path}: ")
    assert complaint in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *(("image_shape", [3]), ("image_shape", [4, 0]), ("image_shape", 16), ("levels", 0)),
        *(("levels", True), ("files", []), ("files", {"test.npy": {}}), ("dataset", None)),
        *(("duplicates", 3), ("duplicates", {"within_train": "7"})),
    ],
)
def test_a_damaged_manifest_is_refused_by_name(finished: Path, key: str, value: Any) -> None:
    path = finished / "results/data/tiny/manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), key: value}))
    with pytest.raises(InputError, match=r"manifest\.json: (no key|'\w+' cannot be)"):
        read_manifest_json(path)


def test_the_script_refuses_in_one_line(
    finished: Path,
    script_jobs: Callable[[Path], list[dict[str, Any]]],
    scripts_runner: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    path = finished / "results/runs/alpha/seed2/units.csv"
    path.write_text("")
    done = scripts_runner(script_jobs(finished)[:1], cwd=finished)
    assert done.returncode == 1
    assert done.stderr == f"error: {path}: empty; delete the file and run again\n"
