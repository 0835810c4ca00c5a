import csv
import hashlib
import json

import numpy as np
import pytest
import torch

import elboflow
from elboflow.files.whole import write_result
from elboflow.pages.promised_numbers import UNPROMISED
from elboflow.trained.model_file import model_files, read_model
from elboflow.vae.data import read_manifest
from elboflow.vae.measure.pareto import reliable_up_to
from promise_table import promises

IMAGES = 53


def read(path):
    with path.open() as file:
        return list(csv.DictReader(file))


def speed(run):
    """How many ranks evaluated how many images."""
    told = json.loads((run.folder / "evaluation" / "speed.json").read_text())
    return {name: told[name] for name in ("ranks", "images")}


def columns(folder):
    rows = read(folder / "evaluation" / "per_image.csv")
    return {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}


@pytest.mark.promise(
    "report",
    "of the same model 1, 2 and 4 ranks measure the same bytes",
    "every table of an evaluation",
)
def test_every_image_counts_once_and_ranks_change_nothing(trained_once, evaluated_once, tmp_path):
    runs = {
        2: evaluated_once,
        **{ranks: trained_once.copy(tmp_path / f"{ranks}") for ranks in (1, 4)},
    }
    for ranks in (1, 4):
        assert runs[ranks].evaluate(ranks).returncode == 0
    results = {}
    for ranks, run in runs.items():
        assert speed(run) == {"ranks": ranks, "images": IMAGES}, "none was there already"
        files = sorted((run.folder / "evaluation").glob("*.csv"))
        results[ranks] = {file.name: file.read_bytes() for file in files}
    assert columns(evaluated_once.folder)["image"].tolist() == list(range(IMAGES))
    # Parts, and so all shapes, are those of one rank.
    assert results[2] == results[1]
    assert results[4] == results[1]


def means(folder):
    return {row["quantity"]: float(row["value"]) for row in read(folder / "evaluation/summary.csv")}


@pytest.mark.promise(
    "log_likelihood, elbo",
    "1, 2 and 4 ranks agree in float32 as well, training and evaluation together",
    "toy images, 200 steps: the means to 1e-6 nat (seen: 2e-7)",
)
def test_in_float32_ranks_agree_but_for_the_last_digits(experiment):
    found = {}
    for ranks in (1, 2, 4):
        run = experiment(f"ranks{ranks}", precision="float32", epochs=20)
        assert run.train(ranks).returncode == 0
        assert run.evaluate(ranks).returncode == 0
        found[ranks] = means(run.folder)
    for ranks in (2, 4):
        for name in ("log_likelihood", "elbo"):
            assert found[ranks][name] == pytest.approx(found[1][name], rel=0, abs=1e-6)


@pytest.mark.promise(
    "log_likelihood",
    "elboflow.load(...).log_prob gives the numbers of the evaluation, and needs no data set",
    "every value and error of per_image.csv, to the bit",
)
@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_a_loaded_model_gives_the_numbers_of_the_evaluation(experiment, precision):
    run = experiment(chunk_images=20, chunk_samples=200, precision=precision, evaluation_seed=3)
    assert run.train().returncode == 0
    assert run.evaluate().returncode == 0
    images = np.load(run.folder / "data" / "toy" / "test_binary.npy")
    (run.folder / "data").rename(run.folder / "away")
    torch.set_num_threads(1)  # as each rank has
    found = elboflow.load(run.folder).log_prob(images, samples=200, seed=(3 << 32) + 1)
    measured = columns(run.folder)
    assert np.array_equal(found.nats, measured["log_likelihood_nats"])
    errors = measured["log_likelihood_monte_carlo_error_nats"]
    assert np.array_equal(found.monte_carlo_error, errors)
    assert np.array_equal(found.trusted, measured["pareto_k"] <= reliable_up_to(200))


def flip_a_digit(path):
    text = path.read_text()
    place = text.index(".", len(text) // 2) + 1
    path.write_text(text[:place] + str((int(text[place]) + 1) % 10) + text[place + 1 :])


def as_not_a_number(path):
    line, body = path.read_text().split("\n")
    columns = json.loads(body)
    columns["rate"][0] = float("nan")
    path.write_text(f"{line}\n{json.dumps(columns)}")


def a_folder(path):
    path.unlink()
    (path / "inside").mkdir(parents=True)


HARMS = {
    "a flipped digit": flip_a_digit,
    "cut off": lambda path: path.write_text(path.read_text()[:50]),
    "empty": lambda path: path.write_text(""),
    "not a number": as_not_a_number,
    "nested": lambda path: path.write_text("[" * 100_000),
    "a folder": a_folder,
    "another part": lambda path: path.write_bytes(sorted(path.parent.iterdir())[-1].read_bytes()),
}


@pytest.mark.promise(
    "report",
    "an evaluation that lost parts goes on to the same bits",
    "seven kinds of damage",
)
@pytest.mark.fault(
    "saved parts of an evaluation are lost, cut off, emptied, exchanged, or a digit is flipped",
    outcome="each is named and done again, to the same bits; the others are kept",
)
def test_an_interrupted_evaluation_goes_on_with_the_images_that_are_left(evaluated):
    folder = evaluated.folder / "evaluation"
    before = (folder / "per_image.csv").read_bytes()
    *parts, kept = sorted((evaluated.folder / "state" / "evaluate").rglob("test_float64_*.json"))
    assert len(parts) == len(HARMS)
    finished = kept.stat().st_mtime_ns
    for part, harm in zip(parts, HARMS.values(), strict=True):
        harm(part)

    done = evaluated.evaluate(ranks=2)
    assert done.returncode == 0, done.stderr
    warned = [line for line in done.stderr.splitlines() if "its images are done again" in line]
    assert [line.partition(": damaged")[0] for line in warned] == list(map(str, parts))
    assert (folder / "per_image.csv").read_bytes() == before
    assert json.loads((folder / "speed.json").read_text())["images"] == len(parts) * 7
    assert kept.stat().st_mtime_ns == finished
    parts[0].unlink()
    assert evaluated.evaluate().stderr.count("done again") == 0
    assert json.loads((folder / "speed.json").read_text())["images"] == 7


def test_a_part_of_other_settings_is_not_believed(evaluated):
    right = (evaluated.folder / "evaluation" / "per_image.csv").read_bytes()
    states = evaluated.folder / "state" / "evaluate"
    (first,) = states.glob("*/")
    evaluated.specify(epochs=5, elbo_samples=10)
    assert evaluated.evaluate().returncode == 0
    (second,) = set(states.glob("*/")) - {first}
    parts = list(first.glob("*.json"))
    assert len(list(first.glob("test_*.json"))) == 16  # 8 parts, in float64 and float32
    for part in parts:
        part.write_bytes((second / part.name).read_bytes())
    evaluated.specify(epochs=5)
    assert evaluated.evaluate().stderr.count("done again") == len(parts)
    assert (evaluated.folder / "evaluation" / "per_image.csv").read_bytes() == right


@pytest.mark.fault(
    "the model gives values that are no numbers",
    outcome="the evaluation names quantity and images, and saves nothing of them",
)
def test_values_that_are_not_finite_name_their_images(trained):
    saved = read_model(trained.folder / "model.safetensors")
    weights = {name: torch.full_like(values, torch.inf) for name, values in saved.weights.items()}
    manifest = read_manifest(trained.folder / "data" / "toy")
    for path, content in model_files(
        saved.path, saved.build(), weights, manifest, **saved.about
    ).items():
        write_result(path, content)
    done = trained.evaluate()
    assert done.returncode != 0
    assert "error: rate is not finite for test_float64 image 0, 1, 2, 3, 4, 5, 6:" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list((trained.folder / "state" / "evaluate").rglob("*.json"))


def test_other_settings_start_over_and_the_former_ones_are_kept(evaluated):
    before = (evaluated.folder / "evaluation" / "per_image.csv").read_bytes()
    evaluated.specify(epochs=5, importance_samples=40)
    done = evaluated.evaluate()
    assert done.returncode == 0, done.stderr
    assert "starting over. It takes" in done.stderr
    assert (evaluated.folder / "evaluation" / "per_image.csv").read_bytes() != before
    evaluated.specify(epochs=5)
    done = evaluated.evaluate()
    assert "starting over" not in done.stderr
    assert (evaluated.folder / "evaluation" / "per_image.csv").read_bytes() == before
    speed = json.loads((evaluated.folder / "evaluation" / "speed.json").read_text())
    assert speed["images"] == 0


def test_an_evaluation_whose_time_is_up_asks_for_another_job(trained, tmp_path):
    again = tmp_path / "again"
    done = trained.evaluate(
        2, {"SNAKEMAKE_QSUB_DEADLINE": "1", "SNAKEMAKE_QSUB_CONTINUE": str(again)}
    )
    assert done.returncode != 0
    assert "follow when it is started again" in done.stderr
    assert again.exists()
    assert not (trained.folder / "evaluation" / "summary.csv").exists()


def test_summary_units_and_pictures_follow_from_the_images(evaluated_once):
    values = columns(evaluated_once.folder)
    folder = evaluated_once.folder / "evaluation"
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


@pytest.mark.promise(
    "elbo_minus_float32, log_likelihood_minus_float32",
    "the difference from float32 of the same weights, images and noise",
    "bf16: not 0, below 0.5 nat",
)
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


def test_every_quantity_has_a_promise_or_says_that_it_has_none(evaluated_once):
    shown = {row["quantity"] for row in read(evaluated_once.folder / "evaluation" / "summary.csv")}
    assert shown - {quantity for quantity, *_ in promises()} - set(UNPROMISED) == set()


def replace_test_images(folder, grey):
    """Put other grey levels behind the same binary test images."""
    data = folder / "data" / "toy"
    np.save(data / "test.npy", grey)
    manifest = json.loads((data / "manifest.json").read_text())
    manifest["files"]["test.npy"]["sha256"] = hashlib.sha256(
        (data / "test.npy").read_bytes()
    ).hexdigest()
    (data / "manifest.json").write_text(json.dumps(manifest))


@pytest.mark.promise(
    "checks",
    "an impossible log p(x) leaves no results",
    "grey levels of one half",
)
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
        (lambda f: (f / "model.safetensors").write_bytes(b"PK"), "model.safetensors: damaged"),
        (lambda f: (f / "model.safetensors").unlink(), "no such file or directory: "),
        (lambda f: (f / "data/toy/test_binary.npy").unlink(), "test_binary.npy: unreadable"),
        (
            lambda f: replace_test_images(f, np.zeros((IMAGES, 36), dtype=np.uint8)),
            "model.safetensors: was trained on other data",
        ),
    ],
)
def test_unusable_input_is_one_line(trained, harm, message):
    harm(trained.folder)
    result = trained.evaluate()
    assert result.returncode != 0
    assert message in result.stderr
    assert "Traceback" not in result.stderr
