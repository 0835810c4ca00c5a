"""The command as a whole: what it writes, that it writes the same again, how it fails."""

import hashlib
import json
import os
import resource
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from elboflow.images import fetch as fetch_data
from elboflow.images.session import Limits
from elboflow.images.sources import FASHION_MNIST, FASHION_MNIST_PACKAGE, MNIST, PUBLISHED_SOURCES
from elboflow.images.verify import read_verified

ARRAYS = ["test.npy", "test_binary.npy", "train.npy", "validation.npy", "validation_binary.npy"]
DOOR = Path(__file__).parents[3] / "workflow" / "scripts" / "fetch_data.py"
DIGITS_MANIFEST = "3d81cb6f55608a4a512a691728bfed78d717f5434973aa535e2fab823a219775"


def command(output: Path, **flags: object) -> list[str]:
    """Flags as the rule passes them: all of them, empty where there is no value."""
    values: dict[str, object] = {
        "dataset": "mine",
        "source": "digits",
        "path": "",
        "data_dir": "",
        "validation_images": 200,
        "test_images": 397,
        "split_seed": 0,
        "binarisation_seed": 0,
        "output_dir": output,
        "mirrors": "",
    }
    return [
        text
        for name, value in (values | flags).items()
        for text in (f"--{name.replace('_', '-')}", str(value))
    ]


def fail(output: Path, **flags: object) -> str:
    """The one line with which the command ends."""
    with pytest.raises(SystemExit) as failure:
        fetch_data.main(command(output, **flags), Limits(connect_retries=0, backoff=0.01))
    assert isinstance(failure.value.code, str) and "\n" not in failure.value.code
    return failure.value.code


def read(folder: Path) -> tuple[dict[str, np.ndarray], dict]:
    arrays = {name: np.load(folder / name, allow_pickle=False) for name in ARRAYS}
    return arrays, json.loads((folder / "manifest.json").read_text())


def test_digits_are_the_same_bytes_on_every_machine(tmp_path, capsys):
    """The manifest holds the digests of all files, so its own stands for all that is written."""
    fetch_data.main(command(tmp_path, dataset="digits"))
    assert capsys.readouterr().out == (
        "digits: 1200 training, 200 validation, 397 test images of 8 x 8, "
        f"sha256 {DIGITS_MANIFEST}\n"
    )
    assert hashlib.sha256((tmp_path / "manifest.json").read_bytes()).hexdigest() == DIGITS_MANIFEST
    names = ["manifest.json", *ARRAYS]
    digests = [f".{name}.sha256" for name in names]
    assert sorted(path.name for path in tmp_path.iterdir()) == digests + names


def test_the_manifest_describes_the_files(tmp_path):
    fetch_data.main(command(tmp_path, split_seed=3, binarisation_seed=4))
    arrays, manifest = read(tmp_path)
    for name, array in arrays.items():
        assert manifest["files"][name] == {
            "images": len(array),
            "sha256": hashlib.sha256((tmp_path / name).read_bytes()).hexdigest(),
        }
        assert array.dtype == np.uint8 and array.shape[1:] == (64,) and array.flags.c_contiguous
    assert (manifest["dataset"], manifest["source"]) == ("mine", "digits")
    assert (manifest["image_shape"], manifest["levels"]) == ([8, 8], 16)
    assert (manifest["split_seed"], manifest["binarisation_seed"]) == (3, 4)
    assert str(tmp_path) not in json.dumps(manifest)


def test_binary_images_go_with_their_grey_ones(tmp_path):
    fetch_data.main(command(tmp_path))
    arrays, manifest = read(tmp_path)
    for name in ("validation", "test"):
        grey, binary = arrays[f"{name}.npy"], arrays[f"{name}_binary.npy"]
        assert not binary[grey == 0].any() and binary[grey == manifest["levels"]].all()
        assert abs(binary.mean() - grey.mean() / manifest["levels"]) < 0.01


def test_an_interrupted_call_leaves_no_manifest(tmp_path, monkeypatch):
    fetch_data.main(command(tmp_path))

    def full_disk(*_: object) -> str:
        raise OSError(28, "No space left on device", str(tmp_path / "train.npy"))

    monkeypatch.setattr("elboflow.images.writing.write_array", full_disk)
    line = fail(tmp_path)
    assert "train.npy cannot be read or written (No space left on device)" in line
    assert line.endswith("; make room, correct the path or its permissions, and run again")
    assert not (tmp_path / "manifest.json").exists()


def test_a_disk_that_fills_up_while_an_array_is_written(tmp_path):
    """NumPy's own error would have neither a file name nor a reason of the system."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        line = fail(tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert f"{tmp_path}/train.npy cannot be read or written (File too large); make room" in line
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_may_not_be_read(tmp_path, monkeypatch):
    path = tmp_path / "mine.npy"
    np.save(path, np.eye(9))

    def forbidden(self: Path, *_: object) -> None:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "open", forbidden)
    line = fail(tmp_path / "out", source="file", path=path)
    assert line == (
        f"data set mine: {path} cannot be read or written (Permission denied); "
        "make room, correct the path or its permissions, and run again"
    )


@pytest.mark.fault("a data set that does not fit into memory", outcome="refused in one line")
def test_what_does_not_fit_into_memory(tmp_path, monkeypatch):
    def full(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("elboflow.images.fetch.split", full)
    assert fail(tmp_path / "out").startswith("data set mine: does not fit into memory; store")


@pytest.fixture
def mnist(monkeypatch, tmp_path) -> Path:
    """A data_dir with MNIST's two files, of far fewer images, as the published ones."""
    folder = tmp_path / "idx"
    folder.mkdir()
    files = {}
    for part, count in (("train", 90), ("test", 20)):
        published = MNIST.files[part]
        pixels = np.random.Philox(count).random_raw(count * 98).tobytes()
        content = b"\0\0\x08\x03" + np.array([count, 28, 28], ">i4").tobytes() + pixels
        (folder / published.name).write_bytes(content)
        digest = hashlib.sha256(content).hexdigest()
        files[part] = replace(published, size=len(content), sha256=digest)
    monkeypatch.setitem(PUBLISHED_SOURCES, "mnist", replace(MNIST, files=files))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return folder


def test_published_files_keep_their_test_set(mnist, tmp_path):
    output = tmp_path / "out"
    flags = {"source": "mnist", "data_dir": mnist, "validation_images": 10, "test_images": ""}
    fetch_data.main(command(output, **flags))
    arrays, manifest = read(output)
    published = (mnist / MNIST.files["test"].name).read_bytes()[16:]
    assert arrays["test.npy"].tobytes() == published
    assert len(arrays["train.npy"]) == 80 and manifest["image_shape"] == [28, 28]
    assert manifest["levels"] == 255 and "CC BY-SA" in manifest["licence"]


def test_the_place_of_the_files_does_not_show(mnist, tmp_path):
    other = tmp_path / "elsewhere"
    other.mkdir()
    for path in mnist.iterdir():
        (other / path.name).write_bytes(path.read_bytes())
    written = []
    for data_dir in (mnist, other):
        output = tmp_path / f"out of {data_dir.name}"
        flags = {"data_dir": data_dir, "validation_images": 10, "test_images": 5}
        fetch_data.main(command(output, source="mnist", **flags))
        written.append([(output / name).read_bytes() for name in ["manifest.json", *ARRAYS]])
    assert written[0] == written[1]


def test_no_file_and_no_network(mnist, tmp_path, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    (mnist / MNIST.files["train"].name).unlink()
    line = fail(tmp_path, source="mnist", data_dir=mnist, mirrors="http://127.0.0.1:9")
    assert line == (
        "data set mine: train-images-idx3-ubyte could not be downloaded (127.0.0.1:9: connection "
        "refused); put train-images-idx3-ubyte.gz into a folder and set data_dir to that folder"
    )


def test_the_files_of_another_data_set_are_called_by_their_name(tmp_path):
    if not FASHION_MNIST_PACKAGE.is_dir():
        pytest.skip("the Debian package dataset-fashion-mnist is not installed")
    line = fail(tmp_path, source="mnist", data_dir=FASHION_MNIST_PACKAGE)
    assert "is not train-images-idx3-ubyte of MNIST: expected sha256 ba891046" in line
    assert line.endswith("(the training images of Fashion-MNIST); replace or remove it")


@pytest.mark.parametrize("part", ["train", "test"])
def test_debians_package_holds_the_published_bytes(part):
    file = FASHION_MNIST.files[part]
    path = FASHION_MNIST_PACKAGE / f"{file.name}.gz"
    if not path.is_file():
        pytest.skip("the Debian package dataset-fashion-mnist is not installed")
    assert len(read_verified(path, file)) == file.size


def test_a_file_of_ones_own(tmp_path):
    path = tmp_path / "mine.npz"
    images = (np.random.Philox(1).random_raw(40 * 6) & 1).astype(bool).reshape(40, 2, 3)
    np.savez(path, train=images[:30], test=images[30:])
    output = tmp_path / "out"
    flags = {"source": "file", "path": path, "validation_images": 5, "test_images": ""}
    fetch_data.main(command(output, **flags))
    arrays, manifest = read(output)
    np.testing.assert_array_equal(arrays["test_binary.npy"], images[30:].reshape(10, 6))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert manifest["origin"] == f"own file mine.npz, sha256 {digest}"
    assert (manifest["levels"], manifest["image_shape"]) == (1, [2, 3])


@pytest.mark.fault(
    "own data that change between the plan and the job",
    outcome="refused in one line",
)
@pytest.mark.parametrize("planned", ["0" * 64, "unknown"])
def test_what_changed_after_the_plan_is_not_taken(tmp_path, planned):
    path = tmp_path / "mine.npy"
    np.save(path, random_images(40))
    flags = {"source": "file", "path": path, "validation_images": 5, "test_images": 5}
    line = fail(tmp_path / "out", **flags, sha256=planned)
    assert line == (
        f"data set mine: {path}: changed after the work was planned; run again when nothing writes "
        "to it"
    )
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    fetch_data.main(command(tmp_path / "out", **flags, sha256=digest))


@pytest.mark.fault(
    "own data under names with a dash, braces, quotes, a newline or bytes that are no UTF-8",
    outcome="read like any others",
)
@pytest.mark.parametrize("name", [b"-x", b"~x", b"{x}", b" '\"", b"a\nb", b"\xff", b"x" * 255])
@pytest.mark.parametrize("folder", [False, True])
def test_any_name_of_ones_own_data_will_do(tmp_path, monkeypatch, name, folder):
    monkeypatch.chdir(tmp_path)
    path, images = Path(os.fsdecode(name)), random_images(40).reshape(40, 4, 4)
    if folder:
        path.mkdir()
        for place, image in enumerate(images):
            Image.fromarray(image).save(path / f"{place:02}.png")
    else:
        with path.open("wb") as stream:
            np.save(stream, images)
    given = path if not name.startswith(b"~") else f"./{path}"
    fetch_data.main(
        [
            *("--dataset=mine", "--source=file", f"--path={given}", "--validation-images=5"),
            *("--test-images=5", "--split-seed=0", "--binarisation-seed=0", "--output-dir=out"),
        ]
    )
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["origin"].isprintable()
    manifest["origin"].encode("utf-8")
    assert len(np.load(tmp_path / "out" / "train.npy")) == 30


def random_images(count: int, seed: int = 2) -> np.ndarray:
    return np.random.Philox(seed).random_raw(count * 16).astype(np.uint8).reshape(count, 16)


@pytest.mark.parametrize(
    ("parts", "counts", "why"),
    [
        (("train", "validation", "test"), (5, 5), "train and validation hold the same images"),
        (("train", "test"), (5, 5), "train and test hold the same images"),
        (("validation", "test"), ("", ""), "validation and test hold the same images"),
    ],
)
def test_parts_that_are_the_same_images_are_no_split(tmp_path, parts, counts, why):
    path, same = tmp_path / "mine.npz", random_images(40)
    np.savez(path, **{"train": random_images(40, 3), **dict.fromkeys(parts, same)})
    flags = {"validation_images": counts[0], "test_images": counts[1]}
    line = fail(tmp_path / "out", source="file", path=path, **flags)
    assert line == f"data set mine: {path}: {why}; give each part images of its own"


@pytest.mark.parametrize("grey", [0, 255])
def test_drawn_parts_that_are_the_same_images_are_no_split(tmp_path, grey):
    path = tmp_path / "mine.npy"
    np.save(path, np.full((12, 4), grey, np.uint8))
    flags = {"validation_images": 3, "test_images": 3}
    line = fail(tmp_path / "out", source="file", path=path, **flags)
    assert "test and validation hold the same images" in line


def test_binary_parts_that_are_the_same_images_are_no_split(tmp_path):
    """Levels 254 and 255 differ, the pixels drawn from them hardly ever."""
    path = tmp_path / "mine.npz"
    parts = {"train": 0, "validation": 254, "test": 255}
    np.savez(path, **{name: np.full((2, 4), grey, np.uint8) for name, grey in parts.items()})
    flags = {"validation_images": "", "test_images": ""}
    line = fail(tmp_path / "out", source="file", path=path, **flags)
    assert "validation_binary and test_binary hold the same images" in line


@pytest.mark.parametrize("test_images", ["", 1])
def test_standard_errors_need_two_test_images(tmp_path, test_images):
    path = tmp_path / "mine.npz"
    np.savez(path, train=random_images(40), test=random_images(1, 3))
    flags = {"path": path, "validation_images": 5, "test_images": test_images}
    line = fail(tmp_path / "out", source="file", **flags)
    assert "test" in line and line.endswith("at least 2 are needed for standard errors")


@pytest.mark.parametrize(
    ("flags", "why"),
    [
        ({"source": "file"}, "source file needs a path"),
        ({"path": "mine.npy"}, "source digits takes no path"),
        ({"test_images": ""}, "has no test images of its own; set test_images"),
        ({"test_images": 1700}, "1797 images cannot give 1700 test and 200 validation images"),
        ({"source": "file", "path": "/nowhere/mine.npy"}, "/nowhere/mine.npy: no such file"),
        ({"source": "mnist", "data_dir": "/nowhere"}, "data_dir /nowhere is not a folder"),
        ({"source": "mnist", "mirrors": "ftp://host/"}, "mirror 'ftp://host/' is not an http"),
        ({"source": "mnist", "mirrors": "http://[x"}, "mirror 'http://[x' is not an http"),
    ],
)
def test_mistakes_end_in_one_line(tmp_path, flags, why):
    line = fail(tmp_path / "out", **flags)
    assert line.startswith("data set mine: ") and why in line
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("flag", "value"),
    [
        *(("split_seed", -1), ("binarisation_seed", 2**64), ("test_images", "many")),
        *(("source", "x"), ("path", "~no-such-user/mine.npy")),
    ],
)
def test_flags_of_the_wrong_kind(tmp_path, capsys, flag, value):
    with pytest.raises(SystemExit) as failure:
        fetch_data.main(command(tmp_path, **{flag: value}))
    assert failure.value.code == 2
    assert f"argument --{flag.replace('_', '-')}: invalid" in capsys.readouterr().err


def test_the_command_needs_no_folder_of_its_own(tmp_path):
    """As a process, in another folder, with only the flags that are required."""
    process = subprocess.run(
        [
            *(sys.executable, str(DOOR), "--dataset", "digits", "--source", "digits"),
            *("--validation-images", "200", "--test-images", "397", "--split-seed", "0"),
            *("--binarisation-seed", "0", "--output-dir", "out"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (process.returncode, process.stderr) == (0, "")
    assert process.stdout.endswith(f"sha256 {DIGITS_MANIFEST}\n")
