import csv
import hashlib
import json

import numpy as np
import pytest

IMAGES = 53


def read(path):
    with path.open() as file:
        return list(csv.DictReader(file))


def columns(folder):
    rows = read(folder / "evaluation" / "per_image.csv")
    return {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}


@pytest.fixture
def trained(experiment):
    run = experiment(epochs=5)
    assert run.train(ranks=2).returncode == 0
    return run


def test_every_image_counts_once_and_ranks_change_nothing(trained):
    results = {}
    for ranks in (1, 2, 4):
        assert trained.evaluate(ranks).returncode == 0
        files = sorted((trained.folder / "evaluation").glob("*.csv"))
        results[ranks] = {file.name: file.read_bytes() for file in files}
    assert columns(trained.folder)["image"].tolist() == list(range(IMAGES))
    # Parts, and so all shapes, are those of one rank.
    assert results[2] == results[1]
    assert results[4] == results[1]


def test_an_interrupted_evaluation_goes_on_with_the_images_that_are_left(trained):
    assert trained.evaluate(ranks=2).returncode == 0
    folder = trained.folder / "evaluation"
    before = (folder / "per_image.csv").read_text().splitlines()
    parts = sorted((trained.folder / "state" / "evaluate").rglob("test_float64_*.json"))
    assert sum(len(json.loads(part.read_text())["rate"]) for part in parts) == IMAGES
    lost, cut, empty, *kept = parts
    lost.unlink()
    cut.write_text(cut.read_text()[:50])
    empty.write_text("null")
    for part in kept:  # what is finished is taken as it is
        found = json.loads(part.read_text())
        part.write_text(json.dumps(found | {"ess": [1.5] * len(found["ess"])}))

    done = trained.evaluate(ranks=1)
    assert done.returncode == 0, done.stderr
    after = (folder / "per_image.csv").read_text().splitlines()
    ess = before[0].split(",").index("ess")
    redone = 3 * 7  # chunk_images
    assert [row.split(",")[ess] == "1.5" for row in after[1:]] == [
        image >= redone for image in range(IMAGES)
    ]
    assert after[: redone + 1] == before[: redone + 1]
    assert json.loads((folder / "speed.json").read_text())["images"] == redone


def test_other_settings_start_over_and_the_former_ones_are_kept(trained):
    assert trained.evaluate().returncode == 0
    before = (trained.folder / "evaluation" / "per_image.csv").read_bytes()
    trained.specify(epochs=5, evaluation={"importance_samples": 40})
    done = trained.evaluate()
    assert done.returncode == 0, done.stderr
    assert "is of another model or specification; starting over" in done.stderr
    assert (trained.folder / "evaluation" / "per_image.csv").read_bytes() != before
    trained.specify(epochs=5)
    done = trained.evaluate()
    assert "starting over" not in done.stderr
    assert (trained.folder / "evaluation" / "per_image.csv").read_bytes() == before
    speed = json.loads((trained.folder / "evaluation" / "speed.json").read_text())
    assert speed["images"] == 0


def test_an_evaluation_whose_time_is_up_asks_for_another_job(trained, tmp_path):
    again = tmp_path / "again"
    done = trained.evaluate(2, {"ELBOFLOW_DEADLINE": "1", "ELBOFLOW_CONTINUE": str(again)})
    assert done.returncode != 0
    assert "follow when it is started again" in done.stderr
    assert again.exists()
    assert not (trained.folder / "evaluation" / "summary.csv").exists()


def test_summary_units_and_pictures_follow_from_the_images(trained):
    assert trained.evaluate(ranks=2).returncode == 0
    values = columns(trained.folder)
    folder = trained.folder / "evaluation"
    summary = {row["quantity"]: row for row in read(folder / "summary.csv")}
    for name in ("elbo", "rate", "distortion", "log_likelihood"):
        per_image = values[f"{name}_nats"]
        assert float(summary[name]["value"]) == pytest.approx(per_image.mean())
        error = per_image.std(ddof=1) / IMAGES**0.5
        assert float(summary[name]["data_error"]) == pytest.approx(error)
        assert summary[name]["images"] == str(IMAGES)
    assert values["elbo_nats"].mean() < values["log_likelihood_nats"].mean()
    rates = [float(row["rate_nats"]) for row in read(folder / "units.csv")]
    assert sum(rates) == pytest.approx(float(summary["rate"]["value"]))
    pictures = np.load(folder / "images.npz", allow_pickle=False)
    assert {name: array.shape for name, array in pictures.items()} == dict.fromkeys(
        ["grey", "binary", "reconstruction", "sample"], (4, 36)
    )
    assert pictures["sample"].min() >= 0
    assert pictures["sample"].max() <= 1


def test_what_reduced_precision_changes_is_measured_against_float32(experiment):
    run = experiment(precision="bf16", epochs=5)
    assert run.train(ranks=2).returncode == 0
    done = run.evaluate(ranks=2)
    assert done.returncode == 0, done.stderr
    summary = {row["quantity"]: row for row in read(run.folder / "evaluation" / "summary.csv")}
    for name in ("elbo", "log_likelihood"):
        effect = summary[f"{name}_minus_float32"]
        assert 0 < abs(float(effect["value"])) < 0.5
        assert 0 < float(effect["data_error"]) < 0.1


def replace_test_images(folder, grey):
    """Put other grey levels behind the same binary test images."""
    data = folder / "data" / "toy"
    np.save(data / "test.npy", grey)
    manifest = json.loads((data / "manifest.json").read_text())
    manifest["files"]["test.npy"]["sha256"] = hashlib.sha256(
        (data / "test.npy").read_bytes()
    ).hexdigest()
    (data / "manifest.json").write_text(json.dumps(manifest))


def test_a_likelihood_above_the_noise_floor_fails_and_writes_nothing(experiment):
    """Grey levels of one half make the floor 36 log 2 = 25.0 nats below 0; the model beats that."""
    run = experiment(epochs=60)
    replace_test_images(run.folder, np.full((IMAGES, 36), 8, dtype=np.uint8))
    assert run.train().returncode == 0
    result = run.evaluate(ranks=2)
    assert result.returncode != 0
    assert "error: log_likelihood - noise_floor = " in result.stderr
    assert "above what is possible" in result.stderr
    assert "Traceback" not in result.stderr
    assert not (run.folder / "evaluation" / "per_image.csv").exists()


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (lambda f: (f / "model.pt").write_bytes(b"PK"), "model.pt: unreadable"),
        (lambda f: (f / "model.pt").unlink(), "model.pt: unreadable"),
        (lambda f: (f / "data/toy/test_binary.npy").unlink(), "test_binary.npy: unreadable"),
        (
            lambda f: replace_test_images(f, np.zeros((IMAGES, 36), dtype=np.uint8)),
            "model.pt: was trained on other data",
        ),
    ],
)
def test_unusable_input_is_one_line(trained, harm, message):
    harm(trained.folder)
    result = trained.evaluate(ranks=2)
    assert result.returncode != 0
    assert message in result.stderr
    assert "Traceback" not in result.stderr
