import csv

import numpy as np
import pytest

IMAGES = 8


@pytest.fixture(scope="module")
def bounded_once(trained_once, tmp_path_factory):
    """The trained run, with bounds of a few images by one rank."""
    run = trained_once.copy(tmp_path_factory.mktemp("bounded") / "one")
    done = bound(run)
    assert done.returncode == 0, done.stderr
    return run


@pytest.fixture
def bounded(bounded_once, tmp_path):
    return bounded_once.copy(tmp_path / "one")


def bound(run, ranks=1, env=None, **changes):
    """Ask for bounds of a few images."""
    run.specify(epochs=5, **{"ais_images": IMAGES, **changes})
    return run.ais_bounds(ranks, env)


def columns(run, origin):
    with (run.folder / "bounds.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["origin"] == origin]
    assert [int(row["image"]) for row in rows] == list(range(IMAGES))
    return {
        name: np.array([float(row[name] or "nan") for row in rows])
        for name in rows[0]
        if name != "origin"
    }


@pytest.mark.promise(
    "importance",
    "the same estimate as log p(x) of these images",
    "relative 1e-9",
)
def test_ranks_change_nothing_and_evaluate_agrees(trained, bounded_once, evaluated_once):
    done = bound(trained, ranks=2)
    assert done.returncode == 0, done.stderr
    by_one, by_two = ((run.folder / "bounds.csv").read_bytes() for run in (bounded_once, trained))
    assert by_one == by_two  # parts, and so all shapes, are those of one rank

    test, made = columns(trained, "test"), columns(trained, "simulated")
    assert np.isnan(test["upper_nats"]).all()
    gap = made["upper_nats"] - made["ais_nats"]
    error = np.hypot(made["upper_error_nats"], made["ais_error_nats"])
    assert gap.mean() > -5 * np.sqrt(np.square(error).sum()) / IMAGES
    assert gap.mean() < 1

    with (evaluated_once.folder / "evaluation" / "per_image.csv").open() as file:
        rows = list(csv.DictReader(file))[:IMAGES]
    for here, there in (("importance", "log_likelihood"), ("elbo", "elbo")):
        evaluated = np.array([float(row[f"{there}_nats"]) for row in rows])
        np.testing.assert_allclose(test[f"{here}_nats"], evaluated, rtol=1e-9)
    assert (test["amortisation_nats"] > -4 * test["amortisation_error_nats"]).all()
    parts = test["elbo_nats"] + test["amortisation_nats"]
    np.testing.assert_allclose(parts, test["best_elbo_nats"], rtol=1e-9)


def test_an_interrupted_job_goes_on_with_the_images_that_are_left(bounded):
    whole = (bounded.folder / "bounds.csv").read_bytes()
    state = bounded.folder / "state" / "ais_bounds"
    finished = {path: path.stat().st_mtime_ns for path in state.rglob("*.json")}
    assert len(finished) == 2 * -(-IMAGES // 3)
    lost, cut, *kept = sorted(finished)
    lost.unlink()
    cut.write_text(cut.read_text()[:50])
    (bounded.folder / "bounds.csv").unlink()
    assert bound(bounded, ranks=2).returncode == 0
    assert (bounded.folder / "bounds.csv").read_bytes() == whole
    assert all(path.stat().st_mtime_ns == finished[path] for path in kept)


def test_more_images_leave_finished_ones_as_they_are(bounded):
    whole = (bounded.folder / "bounds.csv").read_bytes()
    state = bounded.folder / "state" / "ais_bounds"
    for part in state.rglob("*.json"):
        part.unlink()
    assert bound(bounded, ais_images=IMAGES - 1).returncode == 0
    finished = {path: path.stat().st_mtime_ns for path in state.rglob("*_00000[03].json")}
    assert len(finished) == 4
    done = bound(bounded, ais_images=IMAGES)
    assert done.returncode == 0, done.stderr
    assert "starting over" not in done.stderr
    assert {path: path.stat().st_mtime_ns for path in finished} == finished
    assert (bounded.folder / "bounds.csv").read_bytes() == whole


def test_other_settings_start_over(bounded):
    before = (bounded.folder / "bounds.csv").read_bytes()
    done = bound(bounded, ais_temperatures=13)
    assert "starting over. It takes" in done.stderr
    assert (bounded.folder / "bounds.csv").read_bytes() != before


def test_a_job_whose_time_is_up_asks_for_another(trained, tmp_path):
    again = tmp_path / "again"
    ended = {"SNAKEMAKE_QSUB_DEADLINE": "1", "SNAKEMAKE_QSUB_CONTINUE": str(again)}
    done = bound(trained, ranks=2, env=ended)
    assert done.returncode != 0
    assert "follow when it is started again" in done.stderr
    assert again.exists()
    assert not (trained.folder / "bounds.csv").exists()


def test_of_fewer_test_images_all_are_taken(trained):
    done = bound(trained, ranks=2, ais_images=1000, ais_temperatures=2, ais_chunk_images=30)
    assert done.returncode == 0, done.stderr
    with (trained.folder / "bounds.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["origin"] for row in rows] == ["test"] * 53 + ["simulated"] * 53
