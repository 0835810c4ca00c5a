"""What is wrong with a data set's keys is said before anything starts."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from elboflow.specification.check import ConfigError, check

SPAM = {"source": "spambase", "test_images": 600}
BINARISED = {"source": "binarized-mnist"}


def config(mine: dict[str, Any], **run: Any) -> dict[str, Any]:
    images = {"source": "mnist", "validation_images": 10_000}
    runs = {"one": {"dataset": "images", **run}}
    return {"datasets": {"images": images, "mine": mine}, "runs": runs}


@pytest.mark.parametrize(
    "dataset",
    [
        BINARISED,
        {**BINARISED, "validation_images": 10_000, "test_images": 10_000, "data_dir": "/x"},
        {"source": "omniglot", "validation_images": 1345},
        SPAM,
        {**SPAM, "validation_images": 100, "mirrors": ["http://host/"]},
    ],
)
def test_what_is_right_is_accepted(dataset):
    check(config(dataset))


@pytest.mark.parametrize(
    ("dataset", "message"),
    [
        ({"source": "mnist"}, "validation_images: mnist has no validation split of its own; give"),
        ({"source": "omniglot"}, "validation_images: omniglot has no validation split"),
        (
            {"source": "digits", "test_images": 5},
            "validation_images: digits has no validation split",
        ),
        ({"source": "spambase"}, "test_images: spambase has no test split of its own; give"),
        ({**SPAM, "test_images": 4601}, "mine: no training images are left of spambase's"),
        (
            {**SPAM, "test_images": 99},
            "mine: a classifier needs 100 rows at least for training and",
        ),
        ({**SPAM, "test_images": 4550}, "mine: a classifier needs 100 rows at least for training"),
        ({**SPAM, "path": "x"}, "mine.path: the source spambase takes none"),
        ({**BINARISED, "validation_images": 10_001}, "binarized-mnist has 10000 validation images"),
        ({**BINARISED, "test_images": 10_001}, "test_images: binarized-mnist has 10000 test"),
        ({"source": "omniglot", "validation_images": 24_345}, "no training images are left"),
        ({"source": "file", "path": "nowhere"}, "mine.path: nowhere: no such file or folder"),
        ({"source": "file", "path": "x", "data_dir": "y"}, "data_dir: the source file takes none"),
    ],
)
def test_a_mistake_is_one_line_that_says_where(dataset, message):
    with pytest.raises(ConfigError) as failure:
        check(config(dataset))
    line = str(failure.value)
    assert line.startswith("config: datasets.mine") and message in line and "\n" not in line


def own(path: Path, **keys: Any) -> dict[str, Any]:
    return {"source": "file", "path": str(path), **keys}


def save(path: Path, **parts: int) -> Path:
    """A file of so many images of 2 x 3 pixels by part."""
    np.savez(path, **{part: np.zeros((count, 2, 3), np.uint8) for part, count in parts.items()})
    return path


@pytest.fixture(params=["file", "folder"])
def mine(request, tmp_path: Path) -> Path:
    """Twenty training images and a test part of five."""
    if request.param == "file":
        return save(tmp_path / "mine.npz", train=20, test=5)
    for part, count in (("train", 20), ("test", 5)):
        (tmp_path / "mine" / part).mkdir(parents=True)
        for place in range(count):
            (tmp_path / "mine" / part / f"{place}.png").touch()
    return tmp_path / "mine"


MISSING = pytest.mark.fault(
    "own data of which a split has no images, or fewer than are asked for",
    outcome="refused in one line when the workflow is planned",
)


@MISSING
@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (
            {},
            ".validation_images: {} has no validation split of its own; give the number of images "
            "to take for it",
        ),
        ({"validation_images": 4, "test_images": 6}, ".test_images: {} has 5 test images"),
        ({"validation_images": 20}, ": no training images are left of {}'s"),
    ],
)
def test_what_ones_own_data_lack_is_found_before_they_are_read(mine, keys, message):
    with pytest.raises(ConfigError) as failure:
        check(config(own(mine, **keys)))
    assert str(failure.value) == f"config: datasets.mine{message.format(mine)}"


@MISSING
@pytest.mark.parametrize(
    ("run", "message"),
    [
        ({"batch_size": 17}, "batch_size: 17 is more than the 16 training images"),
        ({"figure_images": 6}, "figure_images: there are only 5 test images"),
        ({"nodes": 5}, "5 ranks are more than the 4 images of a batch or split"),
    ],
)
def test_a_run_asks_for_no_more_than_there_is_of_ones_own_data(mine, run, message):
    data = own(mine, validation_images=4)
    fitting = {"batch_size": 16, "figure_images": 5, "tasks_per_node": 1}
    check(config(data, dataset="mine", **fitting))
    with pytest.raises(ConfigError, match=message):
        check(config(data, dataset="mine", **{**fitting, **run}))


@MISSING
@pytest.mark.parametrize("parts", [{"train": 20}, {"train": 20, "validation": 4}])
def test_a_file_without_a_test_part_needs_their_number(tmp_path, parts):
    path = save(tmp_path / "mine.npz", **parts)
    with pytest.raises(ConfigError, match=r"test_images: .* has no test split of its own; give"):
        check(config(own(path, validation_images=4)))


@MISSING
def test_a_test_part_of_one_image_is_too_little(tmp_path):
    path = save(tmp_path / "mine.npz", train=20, validation=4, test=1)
    with pytest.raises(ConfigError, match="has 1 test image; standard errors need 2 at least"):
        check(config(own(path)))


def test_no_more_than_the_header_of_a_file_is_read(tmp_path):
    """Its items are not there, and nobody has noticed."""
    path = tmp_path / "mine.npy"
    np.save(path, np.zeros((20, 2, 3), np.uint8))
    path.write_bytes(path.read_bytes()[:-1])
    check(config(own(path, validation_images=4, test_images=4)))


@pytest.mark.fault(
    "one's own data lie in results/, where the workflow would remove them",
    outcome="refused in one line",
)
@pytest.mark.parametrize("path", ["results/data/mine/train.npz", "link.npz", "results/data/mine"])
def test_data_in_the_results_are_refused(tmp_path, monkeypatch, path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "results/data/mine").mkdir(parents=True)
    save(tmp_path / "results/data/mine/train.npz", train=12)
    (tmp_path / "link.npz").symlink_to("results/data/mine/train.npz")
    with pytest.raises(ConfigError, match=r"\.path: [^\n]* lies in results/, [^\n]*\Z"):
        check(config(own(tmp_path / path)))
    with pytest.raises(ConfigError, match=r"mine\.path: elsewhere: no such file"):
        check(config(own(Path("elsewhere"))))


@pytest.mark.fault(
    "a node on which the user's own data cannot be seen",
    outcome="its jobs do not ask for them",
)
def test_a_job_need_not_see_the_file(tmp_path):
    data = own(tmp_path / "elsewhere.npz", validation_images=4)
    check(config(data, dataset="mine"), read_files=False)
    with pytest.raises(ConfigError, match=r"elsewhere\.npz: no such file or folder"):
        check(config(data, dataset="mine"))


def pipe(path: Path) -> None:
    os.mkfifo(path)


def loop(path: Path) -> None:
    path.symlink_to(path)


def broken_link(path: Path) -> None:
    path.symlink_to(path.parent / "nothing")


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def sparse(path: Path) -> None:
    with path.open("wb") as stream:
        stream.truncate(10 * 2**30)


def sparse_png(path: Path) -> None:
    path.mkdir()
    sparse(path / "a.png")


def link_in_folder(path: Path) -> None:
    path.mkdir()
    broken_link(path / "a.png")


def pipe_in_folder(path: Path) -> None:
    path.mkdir()
    pipe(path / "a.png")


@pytest.mark.fault(
    "own data that are a pipe, a device, a link to nothing, or too large",
    outcome="refused in one line when the workflow is planned; nothing is waited for",
)
@pytest.mark.parametrize(
    ("make", "message"),
    [
        (pipe, "is a device or a pipe; name an ordinary file or a folder"),
        (device, "is a device or a pipe; name an ordinary file or a folder"),
        (loop, "no such file or folder"),
        (broken_link, "no such file or folder"),
        (sparse, "has 10737418240 bytes, more than the 4294967296 that are read"),
        (sparse_png, "a.png has 10737418240 bytes, more than the 134217728 that are read"),
        (link_in_folder, "a.png is a link to nothing, a device or a pipe; expected PNG files"),
        (pipe_in_folder, "a.png is a link to nothing, a device or a pipe; expected PNG files"),
    ],
)
def test_what_is_no_file_of_data_is_not_opened(tmp_path, make, message):
    make(tmp_path / "mine")
    with pytest.raises(ConfigError) as failure:
        check(config(own(tmp_path / "mine", validation_images=4, test_images=4)))
    line = str(failure.value)
    assert line.startswith(f"config: datasets.mine.path: {tmp_path}/mine: {message}")
    assert "\n" not in line


@pytest.mark.fault(
    "own data that may not be read",
    outcome="refused in one line when the workflow is planned",
)
def test_what_may_not_be_read_is_named(mine, monkeypatch):
    """Of root, nobody may forbid it."""

    def forbidden(path: Path, *_: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", forbidden)
    monkeypatch.setattr(os, "scandir", forbidden)
    with pytest.raises(ConfigError) as failure:
        check(config(own(mine, validation_images=4)))
    assert str(failure.value) == (
        f"config: datasets.mine.path: {mine} cannot be read (Permission denied); correct the path "
        "or its permissions"
    )


@pytest.mark.fault(
    "a path that no file can have: of 5000 characters, with a zero byte, with a newline",
    outcome="refused in one line when the workflow is planned",
)
@pytest.mark.parametrize("path", ["x" * 5000, "a\0b", "a\nb", "/dev/null/x", "x/" * 3000])
def test_a_path_that_no_file_can_have(path):
    with pytest.raises(ConfigError, match="no such file or folder") as failure:
        check(config({"source": "file", "path": path}))
    assert len(str(failure.value)) < 400 and str(failure.value).isprintable()


@pytest.mark.parametrize("key", ["path", "data_dir"])
@pytest.mark.parametrize("path", ["\udcff", "a\ud800b"])
def test_a_path_that_is_no_text(key, path):
    source = "file" if key == "path" else "mnist"
    with pytest.raises(ConfigError, match=rf"mine\.{key}: .* is no text; rename it") as failure:
        check(config({"source": source, key: path}))
    assert str(failure.value).isascii()


def test_no_run_trains_on_a_table():
    with pytest.raises(ConfigError) as failure:
        check(config(SPAM, dataset="mine"))
    assert str(failure.value) == (
        "config: runs.one.dataset: spambase is a table without images; name a data set of images"
    )


def test_sizes_are_those_of_the_published_parts():
    check(config(BINARISED, dataset="mine", batch_size=50_000))
    with pytest.raises(ConfigError, match="batch_size: 50001 is more than the 50000 training"):
        check(config(BINARISED, dataset="mine", batch_size=50_001))
