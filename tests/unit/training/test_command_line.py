"""The commands of `elboflow` on a small model: what they write is what the model says in Python."""

import csv
import re
from pathlib import Path

import numpy as np
import pytest

import elboflow
import own_models
from elboflow.command_line import progress
from elboflow.command_line.main import main
from elboflow.trained.model import TrainedModel
from elboflow.vae.data import ImageShape
from elboflow.vae.model.make import make_model

IMAGES, PIXELS = 7, (3, 4)
SHAPE = ImageShape(*PIXELS, 1, 16)


@pytest.fixture(params=["bernoulli", "gaussian", "categorical"])
def model(request, toy, monkeypatch):
    """A model of each kind of pixels, as `elboflow.load` gives it."""
    changes = {"likelihood": request.param}
    vae = toy["vae"](**changes)
    trained = TrainedModel(vae, toy["spec"](**changes))
    monkeypatch.setattr(elboflow, "load", lambda path, device: trained)
    return trained


@pytest.fixture
def images(toy, tmp_path, monkeypatch):
    """Grey levels in the file images.npy of the working directory."""
    monkeypatch.chdir(tmp_path)
    grey = toy["grey"](IMAGES).reshape(IMAGES, *PIXELS)
    np.save("images.npy", grey)
    return grey


def run(capsys, words):
    """The line that a command prints."""
    assert main(words.split()) == 0
    told = capsys.readouterr()
    assert told.err == ""
    return told.out


def test_scores_are_those_of_log_prob(model, images, capsys):
    line = run(
        capsys,
        "score m images.npy -o scores.csv --samples 50 --seed 3 --device cpu",
    )
    with Path("scores.csv").open() as file:
        rows = list(csv.DictReader(file))
    found = model.log_prob(images, samples=50, seed=3)
    assert [float(row["log_likelihood_nats"]) for row in rows] == found.nats.tolist()
    errors = [float(row["log_likelihood_monte_carlo_error_nats"]) for row in rows]
    assert errors == found.monte_carlo_error.tolist()
    assert [row["trusted"] == "1" for row in rows] == found.trusted.tolist()
    assert f"{IMAGES} images: log p(x) {found.nats.mean():.2f} nats on average, data error" in line
    assert ("bits/dim" in line) == (model.observes != "unit")
    run(capsys, "score m images.npy -o scores.npz --samples 50 --seed 3")
    with np.load("scores.npz") as arrays:
        assert np.array_equal(arrays["log_likelihood_nats"], found.nats)


def test_one_image_has_no_data_error(model, images, capsys):
    np.save("images.npy", images[:1])
    assert "data error" not in run(capsys, "score m images.npy -o a.csv --samples 50")


def test_codes_are_those_of_encode(model, images, capsys):
    z = model.encode(images)
    run(capsys, "encode m images.npy -o z.npz")
    with np.load("z.npz") as arrays:
        assert np.array_equal(arrays["z"], z)
    run(capsys, "encode m images.npy -o z.csv")
    with Path("z.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [[float(row[f"z{k}"]) for k in range(2)] for row in rows] == z.tolist()


def test_reconstructions_are_those_of_reconstruct(model, images, capsys):
    run(capsys, "reconstruct m images.npy -o means.npz")
    with np.load("means.npz") as arrays:
        np.testing.assert_allclose(arrays["images"], model.reconstruct(images), rtol=1e-12)
    run(capsys, "reconstruct m images.npy -o means/")
    run(capsys, "reconstruct m images.npy -o means.png")


def test_samples_are_those_of_sample(model, images, capsys):
    for flags, mean in (("", False), (" --mean", True)):
        run(capsys, "sample m --count 5 --seed 2 -o samples.npz" + flags)
        with np.load("samples.npz") as arrays:
            assert np.array_equal(arrays["images"], model.sample(5, seed=2, mean=mean))


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ("score m images.npy -o a.csv --samples 1", "samples: 1 is no whole number from 2"),
        ("score m wide.npy -o a.csv", "trained on images of 3 x 4 pixels"),
        ("encode m nowhere.npy -o a.csv", "nowhere.npy: no such file or folder"),
        ("reconstruct m text.npy -o a.png", "text.npy: neither .npy, .npz nor idx"),
        ("sample m -o a.png --count 0", "count: 0 is no whole number from 1"),
        ("sample m -o a.png --seed -1", "seed: -1 is no whole number from 0"),
    ],
)
def test_a_mistake_is_one_line_and_writes_nothing(model, images, capsys, words, complaint):
    np.save("wide.npy", np.zeros((2, 4, 4), np.uint8))
    Path("text.npy").write_text("no numbers")
    name, *_ = arguments = words.split()
    assert main(arguments) == 1
    told = capsys.readouterr()
    assert told.err.startswith(f"elboflow {name}: ") and told.err.count("\n") == 1
    assert complaint in told.err
    assert list(Path().glob("*a.*")) == []


@pytest.mark.parametrize(
    ("words", "titles"),
    [
        ("score m images.npy -o a.csv", ["score"]),
        ("encode m images.npy -o a.csv", ["encode"]),
        ("reconstruct m images.npy -o a.npz", ["encode", "decode"]),
        ("sample m --count 6 -o a.npz", ["sample"]),
    ],
)
def test_long_work_says_how_far_it_is(model, images, capsys, monkeypatch, words, titles):
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", -1.0)
    assert main(words.split()) == 0
    told = capsys.readouterr().err.splitlines()
    assert [line.partition(":")[0] for line in told] == titles
    assert all(re.search(r": (\d+) of \1 images, 0 s left$", line) for line in told)


def test_ctrl_c_leaves_the_output_of_before(model, images, capsys, monkeypatch):
    run(capsys, "encode m images.npy -o z.csv")
    before = Path("z.csv").read_bytes()

    def stop(images, progress):
        raise KeyboardInterrupt

    monkeypatch.setattr(model, "encode", stop)
    assert main(["encode", "m", "images.npy", "-o", "z.csv"]) == 130
    assert Path("z.csv").read_bytes() == before


def test_a_model_without_latents_scores_and_samples_and_encodes_nothing(
    toy, images, capsys, monkeypatch
):
    spec = toy["spec"](model=f"{own_models.__file__}:Autoregressive", observes="binary")
    exact = TrainedModel(make_model(spec, SHAPE), spec)
    monkeypatch.setattr(elboflow, "load", lambda path, device: exact)
    assert ", exact, " in run(capsys, "score m images.npy -o a.csv")
    run(capsys, "sample m -o b.png")
    assert main(["encode", "m", "images.npy", "-o", "c.csv"]) == 1
    assert main(["reconstruct", "m", "images.npy", "-o", "c.png"]) == 1
    first, second = capsys.readouterr().err.splitlines()
    assert first == "elboflow encode: m: a model without latents encodes nothing"
    assert second.startswith("elboflow reconstruct: ") and "without latents" in second
    assert list(Path().glob("*c.*")) == []
