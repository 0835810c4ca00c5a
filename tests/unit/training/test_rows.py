"""Images in a file that is mapped into memory are shown as those in memory."""

from pathlib import Path

import numpy as np
import pytest
import torch

from elboflow.vae import data
from elboflow.vae.data import DataError, TrainingImages, load, read_manifest
from elboflow.vae.rows import RowsInFile, RowsInMemory, rows_of


@pytest.fixture
def mapped(tmp_path: Path) -> np.memmap:
    images = np.random.default_rng(0).integers(0, 256, (500, 30)).astype(np.uint8)
    np.save(tmp_path / "train.npy", images)
    return np.load(tmp_path / "train.npy", mmap_mode="r")


def test_where_an_array_is_decides_how_it_is_read(mapped: np.memmap) -> None:
    assert isinstance(rows_of(mapped, "cpu"), RowsInFile)
    assert isinstance(rows_of(np.array(mapped), "cpu"), RowsInMemory)


def test_rows_are_the_same_whether_or_not_they_were_expected(mapped: np.memmap) -> None:
    rows, places = RowsInFile(mapped, "cpu"), np.array([3, 499, 3, 0, 77])
    for expected in (places, np.array([1]), np.empty(0, dtype=np.int64)):
        rows.expect(lambda expected=expected: expected)
        assert torch.equal(rows.take(places), torch.from_numpy(np.array(mapped)[places]))


@pytest.mark.parametrize("observes", ["binary", "levels"])
def test_batches_are_the_same_bytes(mapped: np.memmap, observes: str) -> None:
    """Over three passes, in order and not, by shares of another size as well."""
    in_file, in_memory = (
        TrainingImages(array, 255, 7, 40, observes=observes) for array in (mapped, np.array(mapped))
    )
    for step, steps, share in [
        (0, 9, slice(0, 40)),
        (9, 9, slice(0, 40)),
        (2, 1, slice(5, 30)),
    ] * 2:
        asked = (step, steps, share)
        assert torch.equal(in_file.batches(*asked), in_memory.batches(*asked))


def test_a_large_file_is_mapped_and_checked(make_data, tmp_path, monkeypatch) -> None:
    make_data(tmp_path / "toy")
    manifest = read_manifest(tmp_path / "toy")
    small = load(manifest, "train.npy")
    monkeypatch.setattr(data, "MAPPED_FROM", 100)
    large = load(manifest, "train.npy")
    assert isinstance(large, np.memmap)
    assert np.array_equal(small, large)
    path = tmp_path / "toy" / "train.npy"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match="sha256 differs"):
        load(manifest, "train.npy")
