"""Files of the user's own: what is accepted, and that all else is refused by name in one line."""

import gzip
import io
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from elboflow.images.collection import load_file
from elboflow.images.errors import BadData
from elboflow.images.readers import read_headers
from elboflow.specification.check_dataset import _images_in_file

GREY = np.random.Philox(3).random_raw(5 * 6).astype(np.uint8).reshape(5, 2, 3)
GREY[0, 0] = 0, 255, 7
BINARY = GREY & 1


def npy(array: Any, **options: Any) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, **options)
    return stream.getvalue()


def npz(**arrays: Any) -> bytes:
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    return stream.getvalue()


def idx(array: np.ndarray, code: int = 0x08) -> bytes:
    header = struct.pack(f">HBB{array.ndim}I", 0, code, array.ndim, *array.shape)
    return header + array.tobytes()


def zipped(**members: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


@pytest.fixture
def save(tmp_path: Path) -> Callable[[bytes], Path]:
    def write(content: bytes) -> Path:
        path = tmp_path / "mine.dat"
        path.write_bytes(content)
        return path

    return write


@pytest.mark.parametrize(
    "content",
    [
        npy(GREY),
        npy(np.asfortranarray(GREY)),
        npy(GREY.astype(">i4")),
        npy(GREY / 255),
        npy((GREY / 255).astype(np.float32)),
        npz(anything=GREY),
        idx(GREY),
        idx(GREY.astype(">i4"), 0x0C),
        gzip.compress(idx(GREY)),
        gzip.compress(npy(GREY)),
    ],
    ids=["npy", "fortran", "int32", "float64", "float32", "npz", "idx", "idx4", "gz", "npy.gz"],
)
def test_grey_images_of_every_kind_are_the_same_levels(save, content):
    collection = load_file(save(content))
    assert (collection.levels, collection.image_shape) == (255, (2, 3))
    assert list(collection.parts) == ["train"]
    np.testing.assert_array_equal(collection.parts["train"], GREY.reshape(5, 6))
    assert collection.parts["train"].dtype == np.uint8


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int64, np.float32])
def test_black_and_white_images_have_one_level(save, dtype):
    collection = load_file(save(npy(BINARY.astype(dtype))))
    assert collection.levels == 1
    np.testing.assert_array_equal(collection.parts["train"], BINARY.reshape(5, 6))


@pytest.mark.parametrize(
    ("pixels", "shape"), [(784, (28, 28)), (6, (1, 6)), (1, (1, 1)), (785, (1, 785))]
)
def test_rows_are_square_images_where_they_can_be(save, pixels, shape):
    assert load_file(save(npy(np.ones((4, pixels), np.uint8)))).image_shape == shape


def test_a_part_that_happens_to_be_black_and_white_follows_the_others(save):
    collection = load_file(save(npz(train=GREY, test=BINARY)))
    assert collection.levels == 255
    np.testing.assert_array_equal(collection.parts["test"], BINARY.reshape(5, 6))


def test_a_file_may_bring_its_splits(save):
    collection = load_file(save(npz(train=GREY, validation=GREY[:2], test=GREY[2:])))
    assert {name: len(part) for name, part in collection.parts.items()} == {
        "train": 5,
        "validation": 2,
        "test": 3,
    }


def with_value(value: float) -> bytes:
    array = GREY / 255
    array[1, 1, 1] = value
    return npy(array)


HUGE = (
    b"\x93NUMPY\x01\x00"
    + struct.pack("<H", 118)
    + (
        b"{'descr': '|u1', 'fortran_order': False, 'shape': (900000000, 28, 28), }".ljust(117)
        + b"\n"
    )
)
OBJECTS = npy(np.array([{"a": 1}], dtype=object), allow_pickle=True)


def npy_of(shape: str, dtype: str = "|u1", items: bytes = b"") -> bytes:
    """A file whose header says so."""
    text = f"{{'descr': {dtype!r}, 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + items


LIMITS = pytest.mark.fault(
    "a file of data that unpacks to more than the limits, or says so in its header",
    outcome="refused in one line, before anything is unpacked",
)
BOMBS = {
    "npy": npy_of("(1000000000, 1000000000)"),
    "npy.gz": gzip.compress(npy_of("(1000000, 100, 100)", items=bytes(1 << 20))),
    "many axes": npy_of(f"({'9' * 20}, {'9' * 4000})"),
    "long floats": npy_of("(40000, 784, 20)", "<f8"),
    "idx.gz": gzip.compress(b"\0\0\x08\x03" + struct.pack(">3I", 10**7, 28, 28) + bytes(1 << 20)),
}
BOMBS["npz"] = zipped(**{"train.npy": BOMBS["npy"]})


@LIMITS
@pytest.mark.parametrize("content", BOMBS.values(), ids=BOMBS)
def test_what_would_not_fit_is_refused_by_its_header(save, content):
    path = save(content)
    for read in (load_file, read_headers):
        with pytest.raises(BadData, match=r"train has the shape .*, more than") as failure:
            read(path)
        assert str(failure.value).endswith("the 4294967296 bytes that are read")
        assert len(str(failure.value)) < 500


@pytest.mark.parametrize(
    "shape", ["(-5, 2, 3)", f"(0, {'9' * 4000})", "(5, -2, -3)", "(2.0, 3)", "5", "()"]
)
def test_a_shape_that_is_none(save, shape):
    path = save(npy_of(shape, items=bytes(30)))
    for read in (load_file, _images_in_file):
        with pytest.raises(BadData) as failure:
            read(path)
        assert len(str(failure.value)) < 500


@pytest.mark.parametrize(
    "names",
    [
        ["x" * 60_000, "y"],
        ["a\nb", "c\x1b[31m"],
        ["train.npy", "train"],
        ["train.npy", "../test.npy"],
        ["/etc/passwd", "train.npy"],
        [f"image{place}.npy" for place in range(3000)],
    ],
    ids=["long", "control characters", "twice", "parent", "absolute", "many"],
)
def test_absurd_names_in_an_archive(save, names):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name in names:
            archive.writestr(name, npy(GREY))
    with pytest.raises(BadData, match="one array, or train with validation and test") as failure:
        load_file(save(stream.getvalue()))
    assert str(failure.value).isprintable() and len(str(failure.value)) < 500


@pytest.mark.fault(
    "a single image where a data set is expected, or images that read as one",
    outcome="asked about in one line that says how to store either",
)
@pytest.mark.parametrize(
    ("shape", "message"),
    [
        (
            (28, 28, 3),
            "is it one image in colour? A data set needs many of them. If it is 28 grey "
            "images of 28 x 3, give it the shape (28, 28, 3, 1)",
        ),
        ((32, 48, 3), "is it one image in colour?"),
        ((28, 28, 4), "is it one image in colour?"),
        (
            (28, 28),
            "is it one grey image? A data set needs many of them. If it is 28 images of 28 "
            "pixels, give it the shape (28, 1, 28)",
        ),
        ((16, 16), "give it the shape (16, 4, 4)"),
        (
            (28, 28, 1),
            "is it one grey image? A data set needs many of them. If it is 28 grey "
            "images of 28 x 1, give it the shape (28, 28, 1, 1)",
        ),
    ],
)
def test_a_single_image_is_asked_about(save, shape, message):
    with pytest.raises(BadData) as failure:
        load_file(save(npy(np.ones(shape, np.uint8))))
    assert message in str(failure.value) and "\n" not in str(failure.value)


@pytest.mark.parametrize(
    "shape", [(28, 28, 3, 1), (28, 28, 1, 1), (28, 1, 28), (16, 4, 4), (5, 2, 3), (5, 2, 3, 1)]
)
def test_what_the_question_recommends_is_taken(save, shape):
    images = np.arange(np.prod(shape)).astype(np.uint8).reshape(shape)
    collection = load_file(save(npy(images)))
    assert collection.image_shape == shape[1:3]
    np.testing.assert_array_equal(collection.parts["train"], images.reshape(len(images), -1))


REFUSED = {
    "empty": (b"", "empty"),
    "text": (b"label,pixel1\n1,2\n", "neither .npy, .npz nor idx"),
    "pickle": (b"\x80\x04\x95\x05", "neither .npy, .npz nor idx"),
    "cut npy": (npy(GREY)[:-1], "truncated: the header"),
    "cut npy header": (npy(GREY)[:20], "damaged, truncated"),
    "huge npy": (HUGE, r"train has the shape \(900000000, 28, 28\), more than the"),
    "long npy": (npy(GREY) + b"?", "too long: the header"),
    "objects": (OBJECTS, "train holds object; expected integers"),
    "objects in npz": (zipped(**{"train.npy": OBJECTS}), "train holds object; expected"),
    "cut npz": (npz(train=GREY)[:-30], "damaged, truncated"),
    "spoilt npz": (zipped(**{"train.npy": npy(GREY)}).replace(b"\x93NUMPY", b"?NUMPY"), "damaged"),
    "no npz": (zipped(readme=b"hello"), "damaged"),
    "empty npz": (zipped(), "holds nothing; one array, or train"),
    "labels in npz": (npz(x=GREY, y=GREY), "holds x, y; one array, or train"),
    "no train": (npz(validation=GREY, test=GREY), "holds validation, test; one array, or train"),
    "cut gzip": (gzip.compress(idx(GREY))[:-12], "damaged, truncated"),
    "spoilt gzip": (gzip.compress(idx(GREY))[:12] + b"??????????", "damaged|neither"),
    "idx magic": (b"\0\0\x07\x03" + bytes(40), "not an idx file: its magic number is wrong"),
    "idx scalar": (b"\0\0\x08\x00" + bytes(40), "not an idx file: its magic number is wrong"),
    "cut idx header": (idx(GREY)[:9], "truncated: the idx header is not complete"),
    "cut idx": (idx(GREY)[:-1], r"truncated: the header \(5, 2, 3\) asks for 30 bytes"),
    "long idx": (idx(GREY) + b"?", "too long: the header"),
    "huge idx": (
        b"\0\0\x08\x03" + b"\xff" * 12,
        r"has the shape \(4294967295, .*, more than the 4294967296",
    ),
    "labels": (idx(np.arange(9, dtype=np.uint8)), r"train has shape \(9,\); expected \(images, h"),
    "channels first": (
        npy(np.ones((5, 3, 4, 4), np.uint8)),
        r"train has shape \(5, 3, 4, 4\); exp",
    ),
    "alpha": (
        npy(np.ones((5, 4, 4, 4), np.uint8)),
        r"has shape \(5, 4, 4, 4\); .*width, 3\)",
    ),
    "5 axes": (npy(np.ones((5, 4, 4, 3, 1), np.uint8)), r"train has shape \(5, 4, 4, 3, 1\); exp"),
    "grey and colour": (
        npz(train=GREY, test=np.ones((2, 2, 3, 3), np.uint8)),
        "images of different sizes: train 2 x 3, test 2 x 3 x 3",
    ),
    "no images": (npy(GREY[:0]), "holds no image"),
    "no pixels": (npy(GREY[:, :0]), "holds no image"),
    "strings": (npy(np.array([["a", "b"]])), "train holds <U1; expected integers 0 to 255"),
    "complex": (npy(GREY * 1j), "train holds complex128; expected integers"),
    "times": (npy(GREY.astype("M8[s]")), "train holds datetime64"),
    "structured": (npy(np.zeros((4, 4), [("a", "u1")])), "train holds .*; expected integers"),
    "NaN": (with_value(np.nan), "train holds NaN or infinity"),
    "infinity": (with_value(np.inf), "train holds NaN or infinity"),
    "in between": (with_value(0.5), "train holds 0.5, which is no k/255; expected"),
    "standardised": (with_value(-0.4), "train holds floats -0.4 to 1; expected"),
    "0 to 255 as floats": (npy(GREY * 1.0), "train holds floats 0 to 255; expected"),
    "16 bit": (npy(GREY.astype(np.uint16) * 257), "train holds integers 0 to 65535; expected"),
    "signed": (npy(GREY.astype(np.int16) - 1), "train holds integers -1 to 254; expected"),
    "two sizes": (
        npz(train=GREY, test=GREY[:, :1]),
        "images of different sizes: train 2 x 3, test 1 x 3",
    ),
    "two kinds": (npz(train=GREY, test=GREY / 255), "some parts hold floats, others integers"),
}


@pytest.mark.parametrize(("content", "why"), REFUSED.values(), ids=REFUSED)
def test_what_is_not_images_is_refused_by_name_in_one_line(save, content, why):
    path = save(content)
    with pytest.raises(BadData, match=why) as failure:
        load_file(path)
    assert str(failure.value).startswith(f"{path}: ")
    assert "\n" not in str(failure.value)


def test_no_file(tmp_path):
    with pytest.raises(BadData, match="no such file"):
        load_file(tmp_path / "missing.npy")


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_images_in_colour_are_rows_of_pixels_with_three_values_each(save, dtype):
    colours = np.random.Philox(4).random_raw(5 * 18).astype(np.uint8).reshape(5, 2, 3, 3)
    stored = colours if dtype is np.uint8 else (colours / 255).astype(dtype)
    collection = load_file(save(npz(train=stored, test=stored[:2])))
    assert (collection.levels, collection.image_shape) == (255, (2, 3, 3))
    np.testing.assert_array_equal(collection.parts["train"], colours.reshape(5, 18))


@pytest.mark.parametrize(
    "content",
    [npy(GREY), npz(train=GREY, test=GREY), idx(GREY), gzip.compress(idx(GREY), mtime=0)],
    ids=["npy", "npz", "idx", "gz"],
)
def test_no_damage_ends_in_anything_but_a_refusal(save, content):
    """Every cut and a spread of spoilt bytes: images, or one line."""
    spoilt = [content[:cut] for cut in range(len(content))]
    for position in range(0, len(content), 3):
        for value in (0, 0x28, 0xFF):
            spoilt.append(content[:position] + bytes([value]) + content[position + 1 :])
    for damaged in spoilt:
        try:
            load_file(save(damaged))
        except BadData as failure:
            assert "\n" not in str(failure)
