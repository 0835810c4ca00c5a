"""The files of a trained model: read back as written, and refused in a line where damaged."""

import json
import shutil
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

import elboflow
import own_models
from elboflow.files.whole import write_result
from elboflow.trained.model_file import model_files, read_model
from elboflow.vae.checkpoint import serialise
from elboflow.vae.data import ImageShape, Manifest
from elboflow.vae.model.make import make_model
from elboflow.vae.model.networks import VAE
from elboflow.vae.spec import TrainingSpec

SHAPE = ImageShape(3, 4, 1, 16)


@pytest.fixture
def written(toy, tmp_path):
    """Write the files of a toy model; the path of its weights."""
    spec = toy["spec"]()
    about = {"run": "toy", "specification": vars(spec), "seed": 1, "epoch": 4, "validation": {}}
    told = {"name": "toy", "licence": "MIT", "binarisation_seed": 3}

    def write(folder="seed1", shape=SHAPE, **changes):
        manifest = Manifest(tmp_path, shape, {}, "0" * 64, told)
        path = tmp_path / folder / "model.safetensors"
        vae = VAE(spec, shape) if shape != SHAPE else toy["vae"]()
        if "specification" in changes:
            vae = make_model(TrainingSpec(**changes["specification"]), shape)
        files = model_files(path, vae, vae.state_dict(), manifest, **{**about, **changes})
        for file, content in files.items():
            write_result(file, content)
        return path

    return write


def edit(path, **changes):
    """Change model.json, as one who also writes its digest down."""
    description = path.with_suffix(".json")
    document = {**json.loads(description.read_bytes()), **changes}
    write_result(description, json.dumps(document).encode())


def test_a_model_is_read_back(written, toy):
    path, vae = written(), toy["vae"]()
    saved = read_model(path)
    assert saved.specification == toy["spec"]()
    assert saved.shape == vae.shape
    assert (saved.data_sha256, saved.binarisation_seed) == ("0" * 64, 3)
    for name, values in saved.build().state_dict().items():
        assert torch.equal(values, vae.state_dict()[name])


def test_the_same_model_has_the_same_bytes(written):
    one, other = written("one"), written("other")
    for first, second in zip(one.parent.glob("model.*"), other.parent.glob("model.*"), strict=True):
        assert first.read_bytes() == second.read_bytes()


def test_weights_are_a_file_that_others_read(written, toy):
    for name, values in load_file(written()).items():
        assert np.array_equal(values, toy["vae"]().state_dict()[name].numpy())


@pytest.mark.parametrize("colours", [1, 3])
def test_shapes_are_those_of_the_manifest(written, colours):
    path = written(shape=ImageShape(3, 4, colours, 255))
    expected = [3, 4] if colours == 1 else [3, 4, 3]
    assert json.loads(path.with_suffix(".json").read_bytes())["image_shape"] == expected
    assert read_model(path).shape == ImageShape(3, 4, colours, 255)


def test_a_model_is_loaded_by_file_or_folder_wherever_it_lies(written, tmp_path, toy):
    path = written()
    away = tmp_path / "elsewhere"
    away.mkdir()
    for name in ("model.safetensors", "model.json"):
        shutil.copy(path.parent / name, away)
    images = toy["grey"](5)
    expected = elboflow.load(path).encode(images)
    for place in (path.parent, str(path), away, away / "model.safetensors"):
        model = elboflow.load(place)
        assert np.array_equal(model.encode(images), expected)
    assert model.binarisation_seed == 3
    assert model.specification == toy["spec"]()


def test_keys_that_came_later_have_their_defaults(written, toy):
    path = written()
    specification = vars(toy["spec"]())
    edit(path, specification={k: v for k, v in specification.items() if k != "scale_floor"})
    assert read_model(path).specification == toy["spec"]()


@pytest.fixture
def own(written, toy, tmp_path, monkeypatch):
    """A model of a user's class, trained in the working directory; its folder and its file."""
    monkeypatch.chdir(tmp_path)
    file = Path(shutil.copy(own_models.__file__, "mine.py"))
    files = {"mine.py": sha256(file.read_bytes()).hexdigest(), "weights.pt": "0" * 64}
    changes = {"model": "mine.py:Autoregressive", "observes": "binary", "weights": "weights.pt"}
    specification = {**vars(toy["spec"]()), **changes, "files": files}
    return written(specification=specification).parent, file


def test_a_model_of_ones_own_is_loaded_where_its_file_is(own, toy, tmp_path, monkeypatch):
    folder, file = own
    images = toy["binary"](5)
    expected = elboflow.load(folder).log_prob(images)
    assert expected.exact
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    Path("mine.py").write_text("raise SystemExit('another of this name')")
    with pytest.raises(ValueError, match=r"mine\.py: not what the model .* into .*seed1; or train"):
        elboflow.load(folder)
    shutil.move(tmp_path / file, folder / "mine.py")
    assert np.array_equal(elboflow.load(folder).log_prob(images).nats, expected.nats)


def test_a_file_of_ones_own_that_was_edited_is_not_run(own):
    folder, file = own
    file.write_text("raise SystemExit('run')")
    with pytest.raises(ValueError, match=r"mine\.py: not what the model was trained with"):
        elboflow.load(folder)


def test_a_folder_without_a_model_is_told(written, tmp_path):
    written("seed1")
    with pytest.raises(FileNotFoundError, match=r"no model there; give .*RUN/seed1") as refusal:
        elboflow.load(tmp_path)
    assert "\n" not in str(refusal.value)
    with pytest.raises(FileNotFoundError, match="no model there"):
        elboflow.load(tmp_path / "nothing")


def test_a_model_may_be_named_by_its_description(written):
    assert elboflow.load(written().with_suffix(".json")).latent_dim == 2


def test_a_model_of_an_earlier_version_is_refused_in_a_line(tmp_path):
    (tmp_path / "model.pt").write_bytes(serialise({"training": {}, "model": {}}))
    for path in (tmp_path, tmp_path / "model.pt"):
        with pytest.raises(ValueError, match=r"model\.pt: of an earlier version.*train it again"):
            elboflow.load(path)


def test_a_device_that_is_missing_is_told(written):
    with pytest.raises(ValueError, match="device 'nonsense' cannot be used: ") as refusal:
        elboflow.load(written(), device="nonsense")
    assert "\n" not in str(refusal.value)


HARM = {
    "flipped": (lambda p: p.write_bytes(p.read_bytes()[:-1] + b"\0"), "safetensors: damaged"),
    "truncated": (lambda p: p.write_bytes(p.read_bytes()[:100]), "safetensors: damaged"),
    "empty": (lambda p: p.write_bytes(b""), "safetensors: damaged"),
    "description flipped": (lambda p: p.with_suffix(".json").write_text("{"), "json: damaged"),
    "another file's weights": (
        lambda p: write_result(p, b"\0" * 8),
        r"damaged, or of another model than model\.json; train it again",
    ),
    "no object": (lambda p: write_result(p.with_suffix(".json"), b"[]"), "unreadable"),
    "no JSON": (lambda p: write_result(p.with_suffix(".json"), b"PK\x03"), "unreadable"),
    "deep": (lambda p: write_result(p.with_suffix(".json"), b"[" * 10**6), "unreadable"),
    "of a later version": (lambda p: edit(p, format=99), "of another version of ELBOFlow"),
    "without digests": (lambda p: edit(p, digests={}), "unreadable"),
    "no shape": (lambda p: edit(p, image_shape=[]), "unreadable"),
    "text as shape": (lambda p: edit(p, image_shape=["3", 4]), "unreadable"),
    "negative shape": (lambda p: edit(p, image_shape=[-3, -4]), "unreadable"),
    "no levels": (lambda p: edit(p, levels=0), "unreadable"),
    "text as seed": (lambda p: edit(p, dataset={"binarisation_seed": "x"}), "unreadable"),
    "no specification": (lambda p: edit(p, specification=3), "unreadable"),
    "unknown key": (lambda p: edit(p, specification={"depth": 3}), "unknown keys: depth"),
    "another size": (lambda p: edit(p, image_shape=[5, 4]), "not of its specification"),
    "text as size": (lambda p: edit(p, specification={"latent_dim": "x"}), "not of its spec"),
    "huge": (lambda p: edit(p, specification={"latent_dim": 10**14}), "not of its specification"),
    "unknown choice": (lambda p: edit(p, specification={"prior": "x"}), "prior: 'x' is unknown"),
}


@pytest.mark.parametrize("name", HARM)
def test_a_damaged_model_is_refused_in_a_line(written, name):
    harm, message = HARM[name]
    path = written()
    harm(path)
    with pytest.raises(ValueError, match=message) as refusal:
        elboflow.load(path)
    assert "\n" not in str(refusal.value)


def test_weights_that_are_no_safetensors_are_refused_in_a_line(written):
    path, content = written(), b"\xff" * 64
    write_result(path, content)
    edit(path, digests={"weights": sha256(content).hexdigest(), "data": ""})
    with pytest.raises(ValueError, match=r"unreadable \(SafetensorError\)"):
        elboflow.load(path)
