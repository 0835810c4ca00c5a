"""The published data sets beside MNIST: how they are read, from where, and how that fails."""

import hashlib
import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.io import savemat

from elboflow.images import fetch as fetch_data
from elboflow.images.errors import BadData
from elboflow.images.published import (
    PIXELS,
    SPAMBASE_COLUMNS,
    read_amat,
    read_chardata,
    read_spambase,
)
from elboflow.images.session import Limits
from elboflow.images.sources import PUBLISHED_SOURCES, TABLE_SOURCES, PublishedSource
from elboflow.images.verify import git_blob
from mirror import Answer, by_name, stalled, status, truncated, whole

QUICK = Limits(connect_timeout=2, connect_retries=0, stall_timeout=0.4, attempts=2, backoff=0.01)
NEW = ["binarized-mnist", "omniglot", "spambase"]
COUNTS = {"train": 30, "validation": 8, "test": 9}


def bits(count: int, seed: int) -> np.ndarray:
    words = np.random.Philox(seed).random_raw(count * PIXELS)
    return (words & np.uint64(1)).astype(np.uint8).reshape(count, PIXELS)


def amat(images: np.ndarray) -> bytes:
    return "".join(" ".join(map(str, image)) + "\n" for image in images).encode()


def mat(**arrays: Any) -> bytes:
    stream = io.BytesIO()
    savemat(stream, arrays, do_compression=True)
    return stream.getvalue()


def drawings(count: int, seed: int) -> np.ndarray:
    """As in chardata.mat: a column for each image, numbers from 0 to 1."""
    numbers = np.random.default_rng(seed).random((PIXELS, count))
    numbers[0], numbers[1] = 0, 1
    return numbers


def mails(count: int) -> np.ndarray:
    table = np.random.default_rng(5).random((count, len(SPAMBASE_COLUMNS) + 1)).round(2)
    table[:, -1] = np.arange(count) % 3 == 0
    return table


def csv(table: np.ndarray) -> bytes:
    return "".join(
        ",".join(f"{value:g}" for value in row) + "\r\n" for row in table.tolist()
    ).encode()


CONTENTS = {
    "binarized-mnist": {part: amat(bits(count, count)) for part, count in COUNTS.items()},
    "omniglot": {"all": mat(data=drawings(30, 1), testdata=drawings(9, 2), target=np.eye(3))},
    "spambase": {"table": csv(mails(50))},
}


@pytest.fixture(params=NEW)
def source(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def published(source, monkeypatch, tmp_path) -> dict[str, bytes]:
    """Small files in place of the published ones, by name."""
    real, contents = PUBLISHED_SOURCES[source], CONTENTS[source]
    files = {}
    for part, file in real.files.items():
        content = contents[part]
        digests = {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
        if file.git_blob:
            digests = {"git_blob": git_blob(content)}
        files[part] = replace(file, **digests)
    small = replace(real, files=files)
    monkeypatch.setitem(PUBLISHED_SOURCES, source, small)
    if source in TABLE_SOURCES:
        monkeypatch.setitem(TABLE_SOURCES, source, small)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return {file.name: contents[part] for part, file in files.items()}


def command(source: str, output: Path, *mirrors: str, **flags: object) -> list[str]:
    counts: dict[str, object] = {"validation_images": 5, "test_images": 6}
    values = {**counts, "split_seed": 0, "binarisation_seed": 0, "output_dir": output, **flags}
    words = [
        text
        for name, value in values.items()
        for text in (f"--{name.replace('_', '-')}", str(value))
    ]
    return ["--dataset", "mine", "--source", source, *words, "--mirrors", *mirrors]


def digest_of(folder: Path) -> str:
    return hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest()


def test_data_dir_and_a_mirror_give_the_same(source, published, mirror, tmp_path):
    for name, content in published.items():
        (tmp_path / name).write_bytes(content)
    fetch_data.main(command(source, tmp_path / "one", data_dir=tmp_path))
    server = mirror(by_name(published))
    fetch_data.main(command(source, tmp_path / "two", server.url + "/some/folder/"), QUICK)
    assert len(server.ranges) == len(published)
    assert digest_of(tmp_path / "one") == digest_of(tmp_path / "two")
    fetch_data.main(command(source, tmp_path / "three", "http://127.0.0.1:9"), QUICK)  # the cache
    assert digest_of(tmp_path / "one") == digest_of(tmp_path / "three")


def corrupt(content: bytes) -> Answer:
    return whole(content[:-2] + bytes([content[-2] ^ 1]) + content[-1:])


def cut(content: bytes) -> Answer:
    return truncated(content, 100)


def short(content: bytes) -> Answer:
    """Cut, but announced as what it is."""
    return whole(content[:-7])


def longer(content: bytes) -> Answer:
    return whole(content + b"surplus")


def redirected(_: bytes) -> Answer:
    return status(302, Location="file:///etc/hostname")


def missing(_: bytes) -> Answer:
    return status(404)


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        (cut, "broke off after 100 bytes"),
        (corrupt, "wrong content"),
        (short, "wrong content"),
        (longer, "wrong content"),
        (stalled, "no byte for 0.4 s"),
        (redirected, "redirects to something that is not http or https"),
        (missing, "HTTP 404"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_bad_mirror_is_left_for_the_next_one(
    source, published, mirror, tmp_path, kind: Callable[[bytes], Answer], why
):
    bad, good = mirror(by_name(published, kind)), mirror(by_name(published))
    first = next(iter(published))
    with pytest.raises(SystemExit) as failure:
        fetch_data.main(command(source, tmp_path / "out", bad.url), QUICK)
    line = str(failure.value)
    assert line.startswith(f"data set mine: {first} could not be downloaded (127.0.0.1:")
    assert line.endswith(f"{why}); put {first} into a folder and set data_dir to that folder")
    assert "\n" not in line and not (tmp_path / "out").exists()
    fetch_data.main(command(source, tmp_path / "out", bad.url, good.url), QUICK)
    assert (tmp_path / "out" / "manifest.json").is_file()


def test_a_mirror_that_refuses_and_one_that_redirects(
    source, published, mirror, tmp_path, refusing
):
    target = mirror(by_name(published))

    def elsewhere(handler: Any) -> None:
        status(302, Location=f"{target.url}{handler.path}")(handler)

    fetch_data.main(command(source, tmp_path / "out", refusing, mirror(elsewhere).url), QUICK)
    assert len(target.ranges) == len(published)


def test_a_wrong_file_in_data_dir_is_named(source, published, tmp_path):
    first = next(iter(published))
    (tmp_path / first).write_bytes(published[first][:-1] + b"?")
    with pytest.raises(SystemExit) as failure:
        fetch_data.main(command(source, tmp_path / "out", data_dir=tmp_path))
    kind = "git blob" if source == "omniglot" else "sha256"
    title = PUBLISHED_SOURCES[source].title
    assert f"{tmp_path / first} is not {first} of {title}: expected {kind} " in str(failure.value)


# ---- what is written


@pytest.mark.parametrize("source", ["binarized-mnist"], indirect=True)
@pytest.mark.parametrize(("wanted", "found"), [("", (30, 8, 9)), (5, (30, 5, 5))])
def test_binarised_mnist_keeps_its_three_parts(published, tmp_path, wanted, found):
    for name, content in published.items():
        (tmp_path / name).write_bytes(content)
    flags = {"data_dir": tmp_path, "validation_images": wanted, "test_images": wanted}
    fetch_data.main(command("binarized-mnist", tmp_path / "out", **flags))
    arrays = {name: np.load(tmp_path / "out" / f"{name}.npy") for name in COUNTS}
    assert tuple(map(len, arrays.values())) == found
    np.testing.assert_array_equal(arrays["train"], bits(30, 30))
    for name in ("validation", "test"):
        binary = np.load(tmp_path / "out" / f"{name}_binary.npy")
        np.testing.assert_array_equal(binary, arrays[name])
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert (manifest["levels"], manifest["image_shape"]) == (1, [28, 28])


@pytest.mark.parametrize("source", ["omniglot"], indirect=True)
def test_omniglot_says_how_its_images_were_made(published, tmp_path):
    (tmp_path / "chardata.mat").write_bytes(published["chardata.mat"])
    fetch_data.main(command("omniglot", tmp_path / "out", data_dir=tmp_path, test_images=""))
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert (manifest["levels"], manifest["image_shape"]) == (255, [28, 28])
    assert "rounded to the nearest k/255" in manifest["origin"]
    assert manifest["files"]["train.npy"]["images"] == 25
    assert manifest["files"]["test.npy"]["images"] == 9


@pytest.mark.parametrize("source", ["spambase"], indirect=True)
@pytest.mark.parametrize("validation", ["", 5])
def test_spambase_is_rows_and_labels(published, tmp_path, validation):
    (tmp_path / "spambase.data").write_bytes(published["spambase.data"])
    flags = {"data_dir": tmp_path, "validation_images": validation}
    fetch_data.main(command("spambase", tmp_path / "out", **flags))
    folder = tmp_path / "out"
    manifest = json.loads((folder / "manifest.json").read_text())
    tables = []
    for name, rows in (("train", 44 - (validation or 0)), ("validation", validation or 0)):
        values, labels = np.load(folder / f"{name}.npy"), np.load(folder / f"{name}_labels.npy")
        assert (values.shape, values.dtype) == ((rows, 57), np.float64)
        assert (labels.shape, labels.dtype) == ((rows,), np.uint8)
        assert manifest["files"][f"{name}.npy"]["rows"] == rows
        assert manifest["label_counts"][name] == [int((labels == 0).sum()), int(labels.sum())]
        tables.append(np.column_stack([values, labels]))
    test = np.column_stack([np.load(folder / f"test{kind}.npy") for kind in ("", "_labels")])
    together = np.concatenate([*tables, test])
    np.testing.assert_array_equal(np.sort(together, axis=0), np.sort(mails(50), axis=0))
    assert manifest["columns"] == list(SPAMBASE_COLUMNS)
    assert not (folder / "test_binary.npy").exists()


@pytest.mark.parametrize("source", ["spambase"], indirect=True)
@pytest.mark.parametrize(
    ("flags", "why"),
    [
        ({"test_images": ""}, "set test_images, which counts rows here"),
        ({"test_images": 1}, "test_images is 1; at least 2 are needed for standard errors"),
        ({"validation_images": -1}, "validation_images is -1"),
        ({"test_images": 45}, "50 rows cannot give 45 test and 5 validation rows"),
        ({"path": "mine.npy"}, "source spambase takes no path"),
    ],
)
def test_mistakes_with_a_table_end_in_one_line(published, tmp_path, flags, why):
    (tmp_path / "spambase.data").write_bytes(published["spambase.data"])
    with pytest.raises(SystemExit, match=why) as failure:
        fetch_data.main(command("spambase", tmp_path / "out", data_dir=tmp_path, **flags))
    assert str(failure.value).startswith("data set mine: ")
    assert not (tmp_path / "out").exists()


# ---- the forms of the files


def test_amat_is_read_as_it_is_printed():
    for count in (1, 2, 7):
        images = bits(count, count)
        np.testing.assert_array_equal(read_amat({"train": amat(images)})["train"], images)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: b"",
        lambda text: text[:-1],
        lambda text: text + b"\n",
        lambda text: text.replace(b"1", b"2", 1),
        lambda text: text.replace(b"0", b"/", 1),
        lambda text: text.replace(b" ", b",", 1),
        lambda text: text.replace(b"\n", b" ", 1),
        lambda text: text[:1] + b"\n" + text[2:],
        lambda text: text.replace(b"\n", b"\r\n"),
    ],
)
def test_what_is_no_amat_is_refused(spoil):
    with pytest.raises(BadData, match="test: expected lines of"):
        read_amat({"test": spoil(amat(bits(3, 3)))})


def test_drawings_stand_upright_as_the_authors_read_them():
    values = drawings(4, 9)
    found = read_chardata({"all": mat(data=values, testdata=values[:, :1])})["train"]
    # As the authors write it, but for the name of the order, which NumPy gave up.
    theirs = values.T.reshape((-1, 28, 28)).reshape((-1, 28 * 28), order="F")
    np.testing.assert_array_equal(found, np.rint(theirs * 255))
    assert found[:, 0].tolist() == [0] * 4 and found[:, 28].tolist() == [255] * 4


@pytest.mark.parametrize("levels", [np.arange(256), np.arange(256)[::-1]])
def test_numbers_that_are_levels_stay_levels(levels):
    values = np.resize(levels / 255, (PIXELS, 2))
    assert set(read_chardata({"all": mat(data=values, testdata=values)})["test"].ravel()) == set(
        levels
    )


GOOD = drawings(2, 1)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"no mat file", "cannot be read"),
        (mat(data=GOOD, testdata=GOOD)[:-50], "cannot be read"),
        (mat(data=GOOD), r"testdata is nothing, expected \(784, images\)"),
        (mat(data=GOOD.T, testdata=GOOD), r"data is \(2, 784\), expected"),
        (mat(data=GOOD[:, :0], testdata=GOOD), "data holds no numbers from 0 to 1"),
        (mat(data=GOOD - 0.1, testdata=GOOD), "data holds no numbers from 0 to 1"),
        (mat(data=GOOD, testdata=GOOD * 255), "testdata holds no numbers from 0 to 1"),
        (mat(data=GOOD, testdata=GOOD * np.nan), "testdata holds no numbers from 0 to 1"),
        (mat(data=GOOD.astype(np.uint8), testdata=GOOD), "data holds no numbers from 0 to 1"),
        (mat(data=GOOD * 1j, testdata=GOOD), "data holds no numbers from 0 to 1"),
        (mat(data={"a": 1}, testdata=GOOD), "data is"),
    ],
)
def test_what_is_no_chardata_is_refused(content, why):
    with pytest.raises(BadData, match=why) as failure:
        read_chardata({"all": content})
    assert str(failure.value).startswith("chardata.mat") and "\n" not in str(failure.value)


@pytest.mark.parametrize(
    "content",
    [
        b"word_freq_make,word_freq_address\n" + csv(mails(3)),
        csv(mails(3))[:-20],
        csv(mails(3)[:, :-1]),
        csv(np.full((3, 58), 0.5)),
        csv(np.full((3, 58), np.nan)),
        b"",
    ],
)
@pytest.mark.filterwarnings("ignore:loadtxt")
def test_what_is_no_spambase_is_refused(content):
    with pytest.raises(BadData, match=r"^spambase\.data") as failure:
        read_spambase({"table": content})
    assert "\n" not in str(failure.value)


def test_columns_of_spambase():
    assert len(SPAMBASE_COLUMNS) == len(set(SPAMBASE_COLUMNS)) == 57
    assert SPAMBASE_COLUMNS[:4:3] == ("word_freq_make", "word_freq_3d")
    assert SPAMBASE_COLUMNS[48] == "char_freq_;"
    assert SPAMBASE_COLUMNS[-1] == "capital_run_length_total"


def test_the_name_that_git_gives_to_a_file():
    """As `git hash-object` prints it for an empty file and for one line."""
    assert git_blob(b"") == "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"
    assert git_blob(b"hello\n") == "ce013625030ba8dba906f756967f9e9ca394464a"


@pytest.mark.parametrize("source_", PUBLISHED_SOURCES.values(), ids=PUBLISHED_SOURCES)
def test_every_published_file_has_a_digest_and_a_bound(source_: PublishedSource):
    for file in source_.files.values():
        assert (file.sha256 is None) != (file.git_blob is None)
        assert len(file.sha256 or file.git_blob or "") in (40, 64)
        assert 0 < file.most <= 100 << 20
    assert all(mirror.startswith(("http://", "https://")) for mirror in source_.mirrors)
    assert source_.mirrors and source_.origin and source_.licence
