"""An own file too large for memory becomes the same data set as one that is read as a whole."""

import os
from pathlib import Path

import numpy as np
import pytest

from elboflow.images import mapped, readers
from elboflow.images.collection import load_file
from elboflow.images.errors import BadData
from elboflow.images.fetch import main
from elboflow.images.mapped import keep_rows

GREY = np.random.default_rng(0).integers(0, 256, (300, 4, 5)).astype(np.uint8)


@pytest.fixture
def small_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "MAPPED_FROM", 1000)
    monkeypatch.setattr(mapped, "CHUNK", 70)  # three rows


@pytest.fixture
def own(tmp_path: Path) -> Path:
    np.save(tmp_path / "own.npy", GREY)
    return tmp_path / "own.npy"


def prepared(own: Path, folder: Path) -> dict[str, bytes]:
    flags = {"dataset": "own", "source": "file", "path": own, "validation-images": 30}
    flags |= {"test-images": 50, "split-seed": 1, "binarisation-seed": 2, "output-dir": folder}
    main([word for flag, value in flags.items() for word in (f"--{flag}", str(value))])
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_data_set_is_the_same_bytes(own: Path, tmp_path: Path, request) -> None:
    read = prepared(own, tmp_path / "read")
    request.getfixturevalue("small_memory")
    assert isinstance(load_file(own, room=tmp_path).parts["train"], np.memmap)
    assert prepared(own, tmp_path / "mapped") == read
    assert np.array_equal(np.load(own), GREY), "the user's file is not written to"


@pytest.mark.usefixtures("small_memory")
@pytest.mark.parametrize(
    "array", [GREY.astype(np.float32) / 255, np.asfortranarray(GREY), GREY.astype(np.int16)]
)
def test_what_must_be_converted_is_read_as_before(tmp_path: Path, array: np.ndarray) -> None:
    np.save(tmp_path / "other.npy", array)
    train = load_file(tmp_path / "other.npy").parts["train"]
    assert not isinstance(train, np.memmap)
    assert np.array_equal(train, GREY.reshape(len(GREY), -1))


@pytest.mark.usefixtures("small_memory")
@pytest.mark.parametrize(("change", "words"), [(b"x", "too long"), (None, "truncated")])
def test_another_length_is_refused(own: Path, change: bytes | None, words: str) -> None:
    if change:
        with own.open("ab") as file:
            file.write(change)
    else:
        os.truncate(own, own.stat().st_size - 1)
    with pytest.raises(BadData, match=words):
        load_file(own, room=own.parent)


@pytest.mark.usefixtures("small_memory")
def test_a_change_while_it_is_copied_is_refused(own: Path, monkeypatch) -> None:
    states = iter(range(100))
    monkeypatch.setattr(mapped, "identity", lambda _: next(states))
    with pytest.raises(BadData, match="changed while it was read"):
        load_file(own, room=own.parent)
    assert [path.name for path in own.parent.iterdir()] == ["own.npy"]


@pytest.mark.usefixtures("small_memory")
def test_rows_are_kept_in_place(tmp_path: Path) -> None:
    rows = np.memmap(tmp_path / "rows", np.uint8, "w+", shape=(50, 20))
    rows[:] = np.arange(50)[:, None]
    kept = np.sort(np.random.default_rng(0).permutation(50)[:31])
    assert np.array_equal(keep_rows(rows, kept)[:, 7], kept)
