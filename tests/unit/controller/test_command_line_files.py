"""What `elboflow` reads and writes: PNG, CSV and NPZ; its help; torch is not needed for these."""

import csv
import gzip
import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from elboflow.command_line.input import read_images
from elboflow.command_line.main import COMMANDS, main, parser
from elboflow.command_line.output import check_output, png, sheet, write_images, write_table
from elboflow.command_line.progress import Progress
from elboflow.images.errors import BadData

RANDOM = np.random.default_rng(0)
GREY = RANDOM.integers(0, 256, (5, 4, 3)).astype(np.uint8)
COLOUR = RANDOM.integers(0, 256, (5, 4, 3, 3)).astype(np.uint8)


@pytest.mark.parametrize("image", [GREY[0], COLOUR[0], GREY[0, :1, :1]], ids=["grey", "rgb", "1"])
def test_a_png_file_has_the_pixels(image: np.ndarray) -> None:
    with Image.open(io.BytesIO(png(image))) as opened:
        opened.verify()
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(png(image)))), image)


@pytest.mark.parametrize("images", [GREY, COLOUR], ids=["grey", "rgb"])
def test_a_folder_that_was_written_can_be_read(tmp_path: Path, images: np.ndarray) -> None:
    write_images(tmp_path / "out", images, top=255)
    assert np.array_equal(read_images(tmp_path / "out", None), images)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_black_and_white_files_are_read_as_such(tmp_path: Path) -> None:
    binary = RANDOM.integers(0, 2, (6, 4, 3)).astype(np.uint8)
    write_images(tmp_path / "out", binary, top=1)
    found = read_images(tmp_path / "out", None)
    assert found.dtype == bool and np.array_equal(found, binary)


def test_a_sheet_has_all_images_with_white_between_them(tmp_path: Path) -> None:
    whole = sheet(GREY)
    assert whole.shape == (2 * 6 - 2, 3 * 5 - 2)
    assert np.array_equal(whole[:4, 5:8], GREY[1])
    assert np.array_equal(whole[6:, 5:8], GREY[4])
    assert (whole[4:6] == 255).all() and (whole[6:, 10:] == 255).all()
    write_images(tmp_path / "a.png", COLOUR[:1], top=255)
    assert np.array_equal(np.asarray(Image.open(tmp_path / "a.png")), COLOUR[0])


def test_means_become_the_nearest_levels(tmp_path: Path) -> None:
    write_images(tmp_path / "a.png", np.array([[[0.0, 0.5, 1.0]]], np.float32), top=1)
    assert np.asarray(Image.open(tmp_path / "a.png")).tolist() == [[0, 128, 255]]


def test_tables_have_every_digit(tmp_path: Path) -> None:
    columns = {"image": np.arange(3), "nats": RANDOM.normal(size=3)}
    write_table(tmp_path / "a.csv", columns)
    with (tmp_path / "a.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [float(row["nats"]) for row in rows] == columns["nats"].tolist()
    assert [row["image"] for row in rows] == ["0", "1", "2"]
    write_table(tmp_path / "a.npz", columns)
    with np.load(tmp_path / "a.npz") as found:
        assert np.array_equal(found["nats"], columns["nats"])


def test_formats_of_own_files_are_read(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", GREY)
    np.savez(tmp_path / "parts.npz", train=GREY, test=GREY[:2])
    idx = b"\0\0\x08\x03" + np.array(GREY.shape, ">u4").tobytes() + GREY.tobytes()
    (tmp_path / "a.idx.gz").write_bytes(gzip.compress(idx))
    for name in ("a.npy", "a.idx.gz"):
        assert np.array_equal(read_images(tmp_path / name, None), GREY)
    assert len(read_images(tmp_path / "parts.npz", "test")) == 2


@pytest.mark.parametrize(
    ("name", "part", "words"),
    [
        ("parts.npz", None, "holds train, test; say with --part which"),
        ("parts.npz", "validation", "holds no validation, but train, test"),
        ("a.npy", "test", "holds no test, but train"),
        ("empty", None, "empty"),
        ("text", None, "neither .npy, .npz nor idx"),
        ("cut.npy", None, "truncated"),
        ("objects.npy", None, "holds object"),
        ("folder", None, "the folder is empty"),
    ],
)
def test_what_cannot_be_read_is_one_line(tmp_path, name, part, words) -> None:
    np.save(tmp_path / "a.npy", GREY)
    np.savez(tmp_path / "parts.npz", train=GREY, test=GREY[:2])
    (tmp_path / "cut.npy").write_bytes((tmp_path / "a.npy").read_bytes()[:-3])
    np.save(tmp_path / "objects.npy", np.array([{}]), allow_pickle=True)
    (tmp_path / "empty").touch()
    (tmp_path / "text").write_text("not an image")
    (tmp_path / "folder").mkdir()
    with pytest.raises(BadData) as refused:
        read_images(tmp_path / name, part)
    assert str(refused.value).startswith(f"{tmp_path / name}: ")
    assert words in str(refused.value) and "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("-", "standard output is not written to"),
        ("scores", "must end in .csv or .npz"),
        ("scores.txt", "must end in .csv or .npz"),
        ("", "must end in .csv or .npz"),
        ("folder.csv", "is a folder; name a file"),
        ("nowhere/a.csv", "no folder that can be written to"),
    ],
)
def test_an_output_that_cannot_be_written_is_refused_first(
    tmp_path, monkeypatch, capsys, name, words
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("folder.csv").mkdir()
    assert main(["score", "no_model", "no_images", "-o", name]) == 1
    error = capsys.readouterr().err
    assert error.startswith("elboflow score: ") and words in error and error.count("\n") == 1


def test_a_folder_is_written_once(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is there already"):
        check_output(f"{tmp_path}/", (".png", "/"))
    assert check_output(f"{tmp_path}/new/", (".png", "/")) == tmp_path / "new"
    assert check_output(f"{tmp_path}/A.CSV", (".csv",)) == tmp_path / "A.CSV"


@pytest.mark.parametrize("words", [[], ["score"], ["score", "m", "i"], ["paint", "m"]])
def test_wrong_arguments_are_told_with_status_2(words, capsys) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert "usage: elboflow" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["score", "encode", "reconstruct", "sample"])
def test_help_needs_no_torch_and_its_examples_are_right(command: str) -> None:
    """In a process of its own, in the controller's environment, which has no torch."""
    words = [sys.executable, "-m", "elboflow", command, "--help"]
    scripts = Path(__file__).parents[3] / "workflow" / "scripts"
    done = subprocess.run(words, capture_output=True, text=True, cwd=scripts)
    assert done.returncode == 0, done.stderr
    text = done.stdout.partition("examples:")[2].replace("\\\n", " ")
    examples = [line.split("#")[0].split() for line in text.splitlines() if "  elboflow" in line]
    assert len(examples) >= 2
    for _, *example in examples:
        given = parser().parse_args(example)
        assert given.command == command
        assert given.output.endswith(COMMANDS[command][-1])


def test_progress_is_a_line_now_and_then(monkeypatch) -> None:
    clock = iter([0.0, 4.0, 11.0, 12.0])
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    stream = io.StringIO()
    progress = Progress("score", 40, stream)
    for done in (10, 20, 30):
        progress(done)
    progress.close()
    assert stream.getvalue() == "score: 20 of 40 images, 11 s left\n"
