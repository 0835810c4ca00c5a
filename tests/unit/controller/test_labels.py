"""Labels: whose image each is of, that nothing of the data depends on them, how they may fail."""

import gzip
import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn import datasets as embedded

from elboflow.images import fetch, labels
from elboflow.images.labels import prepare_labels
from elboflow.images.session import Limits
from elboflow.images.sources import PublishedFile

FLAGS = ["--dataset", "mine", "--split-seed", "3", "--binarisation-seed", "0"]
FLAGS += ["--validation-images", "200", "--test-images", "397"]


def command(output: Path, source: str, *more: str) -> list[str]:
    return [*FLAGS, "--source", source, "--output-dir", str(output), *more]


def fetch_labels(output: Path, source: str, *more: str) -> dict:
    limits = Limits(connect_retries=0, backoff=0.01)
    fetch.main(command(output, source, *more), limits, prepare_labels)
    return json.loads((output / "labels.json").read_text())


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder with labels that are the published ones, for this test."""
    folder, files = tmp_path / "published", {}
    folder.mkdir()
    for part, count in {"train": 700, "test": 500}.items():
        known = labels.PUBLISHED["mnist"].files[part]
        content = bytes(labels.HEADER) + bytes(image % 10 for image in range(count))
        (folder / f"{known.name}.gz").write_bytes(gzip.compress(content))
        digest = hashlib.sha256(content).hexdigest()
        files[part] = PublishedFile(known.name, len(content), digest)
    mnist = replace(labels.PUBLISHED["mnist"], files=files, mirrors=("http://127.0.0.1:9/",))
    monkeypatch.setitem(labels.PUBLISHED, "mnist", mnist)
    return folder


def test_each_label_is_that_of_the_image_in_its_place(tmp_path: Path) -> None:
    fetch.main(command(tmp_path, "digits"))
    manifest = (tmp_path / "manifest.json").read_bytes()
    about = fetch_labels(tmp_path, "digits")
    source = embedded.load_digits()
    known = {row.astype(np.uint8).tobytes(): t for row, t in zip(source.data, source.target)}  # noqa: B905
    for split, count in {"train": 1200, "validation": 200, "test": 397}.items():
        images, own = (np.load(tmp_path / f"{split}{kind}.npy") for kind in ("", "_labels"))
        assert own.dtype == np.uint8 and len(own) == count
        assert [known[image.tobytes()] for image in images] == own.tolist()
        told = about["files"][f"{split}_labels.npy"]
        content = (tmp_path / f"{split}_labels.npy").read_bytes()
        assert told == {"labels": count, "sha256": hashlib.sha256(content).hexdigest()}
    assert about["classes"] == [str(digit) for digit in range(10)]
    assert (tmp_path / "manifest.json").read_bytes() == manifest


def test_published_labels_are_split_as_the_images_are(published: Path, tmp_path: Path) -> None:
    about = fetch_labels(tmp_path, "mnist", "--data-dir", str(published))
    own = {split: np.load(tmp_path / f"{split}_labels.npy") for split in ("train", "test")}
    assert len(own["train"]) == 500 and len(own["test"]) == 397
    parts = {"train": np.arange(700)[:, None], "test": np.arange(500)[:, None]}
    images = fetch.split(parts, {"validation": 200, "test": 397}, 3)  # type: ignore[arg-type]
    for split, numbers in own.items():
        assert numbers.tolist() == (images[split][:, 0] % 10).tolist()
    assert len(about["classes"]) == 10


def lose(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()


def truncate(folder: Path) -> None:
    path = folder / "t10k-labels-idx1-ubyte.gz"
    path.write_bytes(path.read_bytes()[:30])


def others(folder: Path) -> None:
    path = folder / "t10k-labels-idx1-ubyte.gz"
    path.write_bytes(gzip.compress(bytes(labels.HEADER + 500)))


@pytest.mark.fault(
    "labels of a published data set that are missing, cut off or others",
    outcome="figures go without them, and a line says why",
)
@pytest.mark.parametrize("spoil", [lose, truncate, others])
def test_no_labels_are_better_than_wrong_ones(
    published: Path,
    spoil: Callable[[Path], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    spoil(published)
    about = fetch_labels(tmp_path / "out", "mnist", "--data-dir", str(published))
    assert about["classes"] == []
    assert all(told["labels"] == 0 for told in about["files"].values())
    assert "figures go without labels" in capsys.readouterr().out
