"""Models that users write, trained, evaluated and bounded on several ranks."""

import csv

import numpy as np
import pytest

import own_models

SIZE = {"height": 6, "width": 6}


def rows(path):
    with path.open() as file:
        return list(csv.DictReader(file))


def own(name, **changes):
    return {
        "model": f"{own_models.__file__}:{name}",
        "observes": "binary",
        "model_options": SIZE,
        **changes,
    }


RUNS = {
    "plain": own("Plain", ais_images=4),
    "ladder": own("Ladder", ais_images=4, objective="importance_weighted", training_samples=3),
    "seeded": own("Positive"),
    "without_latents": own("Autoregressive"),
}


def compare(alone, shared, *files):
    for file in files:
        here, there = (rows(run.folder / file) for run in (alone, shared))
        assert here
        for row, same in zip(here, there, strict=True):
            for key, value in row.items():
                assert value == same[key] or float(value) == pytest.approx(
                    float(same[key]), rel=1e-7, abs=1e-7
                ), key


@pytest.mark.parametrize("name", RUNS)
def test_own_models_do_not_depend_on_the_ranks(experiment, name):
    """Nor does the measuring of those whose noise is seeded; their training does."""
    alone, shared = (experiment(f"{name}{ranks}", **RUNS[name]) for ranks in (1, 3))
    bounded = "ais_images" in RUNS[name]
    for ranks, run in ((1, alone), (3, shared)):
        trained = run.train(1 if name == "seeded" else ranks)
        assert trained.returncode == 0, trained.stderr
        for stage in (run.evaluate, run.ais_bounds) if bounded else (run.evaluate,):
            measured = stage(ranks)
            assert measured.returncode == 0, measured.stderr
    compare(alone, shared, "evaluation/per_image.csv", "evaluation/summary.csv")
    walks = [dict(np.load(run.folder / "evaluation" / "walks.npz")) for run in (alone, shared)]
    assert all(bool(own) == bounded for own in walks), "the others have no z, or not any real one"
    for key, array in walks[0].items():
        assert array == pytest.approx(walks[1][key], rel=1e-6, abs=1e-6), key
    if bounded:
        compare(alone, shared, "bounds.csv")


def test_a_model_without_latents_has_an_exact_log_p_and_no_rate(experiment):
    run = experiment(**RUNS["without_latents"])
    for stage in (run.train, run.evaluate):
        done = stage()
        assert done.returncode == 0, done.stderr
    found = {row["quantity"]: row for row in rows(run.folder / "evaluation" / "summary.csv")}
    assert found["exact_log_likelihood"]["value"] == found["log_likelihood"]["value"]
    assert float(found["log_likelihood"]["monte_carlo_error"]) == 0
    assert not {"rate", "distortion", "gap", "ess", "active_units"} & set(found)
    assert not {"rate_nats", "ess"} & set(rows(run.folder / "evaluation" / "per_image.csv")[0])
    pictures = np.load(run.folder / "evaluation" / "images.npz", allow_pickle=False)
    assert "reconstruction" not in pictures and "sample" in pictures


def test_a_wrong_model_is_refused_in_one_line_before_it_trains(experiment):
    run = experiment(**own("BatchNorm"))
    done = run.train(2)
    assert done.returncode != 0
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert "changes with the others in its batch" in line
    assert not run.checkpoints()


def test_ais_of_latents_that_it_cannot_move_is_refused(experiment):
    run = experiment(**{**RUNS["seeded"], "ais_images": 2, "epochs": 1})
    assert run.train(1).returncode == 0
    refused = run.ais_bounds(1)
    assert refused.returncode != 0
    assert "say ais_images: 0" in refused.stderr and "Traceback" not in refused.stderr
    assert not (run.folder / "bounds.csv").exists()
