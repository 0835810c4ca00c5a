"""Folders of PNG files: what is accepted, and that all else is refused by name in one line."""

import hashlib
import io
import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from elboflow.images import fetch as fetch_data
from elboflow.images.collection import load_file
from elboflow.images.errors import BadData
from elboflow.images.own_files import content_sha256
from elboflow.images.png_folder import read_png

GREY = np.random.Philox(3).random_raw(5 * 6).astype(np.uint8).reshape(5, 2, 3)
COLOUR = np.random.Philox(4).random_raw(5 * 18).astype(np.uint8).reshape(5, 2, 3, 3)
CHUNKS = 33  # where the chunks behind the header begin


def png(array: np.ndarray, mode: str | None = None, **options: object) -> bytes:
    image = Image.fromarray(array)
    stream = io.BytesIO()
    (image.convert(mode) if mode else image).save(stream, "PNG", **options)
    return stream.getvalue()


def chunk(kind: bytes, content: bytes) -> bytes:
    body = kind + content
    return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))


def header(height: int, width: int, bits: int = 8, colours: int = 0) -> bytes:
    sizes = struct.pack(">IIBBBBB", width, height, bits, colours, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", sizes)


def raw(rows: bytes, *shape: int) -> bytes:
    """A file of which each row, with its filter in front, is given."""
    return header(*shape) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


Save = Callable[..., Path]


@pytest.fixture
def save(tmp_path: Path) -> Save:
    """Writes files into a folder: names, or paths in it, and contents."""

    def write(files: dict[str, bytes]) -> Path:
        folder = tmp_path / "images"
        folder.mkdir(exist_ok=True)
        for name, content in files.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_bytes(content)
        return folder

    return write


def numbered(images: np.ndarray, folder: str = "") -> dict[str, bytes]:
    return {f"{folder}{place}.png": png(image) for place, image in enumerate(images)}


@pytest.mark.parametrize(
    ("images", "shape"), [(GREY, (2, 3)), (COLOUR, (2, 3, 3))], ids=["grey", "colour"]
)
def test_images_are_read_in_the_order_of_their_names(save, images, shape):
    collection = load_file(save(dict(reversed(numbered(images).items()))))
    assert (collection.levels, collection.image_shape) == (255, shape)
    assert list(collection.parts) == ["train"]
    np.testing.assert_array_equal(collection.parts["train"], images.reshape(5, -1))
    assert collection.parts["train"].dtype == np.uint8


def test_folders_are_parts(save):
    files = numbered(COLOUR[:3], "train/") | numbered(COLOUR[3:], "test/")
    collection = load_file(save(files))
    assert {name: len(part) for name, part in collection.parts.items()} == {"train": 3, "test": 2}
    np.testing.assert_array_equal(collection.parts["test"], COLOUR[3:].reshape(2, -1))


def test_hidden_files_and_the_case_of_a_suffix_do_not_matter(save):
    files = {".DS_Store": b"?", "b.PNG": png(GREY[1]), "a.png": png(GREY[0])}
    np.testing.assert_array_equal(load_file(save(files)).parts["train"], GREY[:2].reshape(2, 6))


def test_the_origin_tells_the_files_and_not_the_place(save, tmp_path):
    files = numbered(GREY)
    lines = [f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in files.items()]
    digest = hashlib.sha256("".join(lines).encode()).hexdigest()
    origin = load_file(save(files)).origin
    assert origin == f"own folder images of 5 PNG files, sha256 {digest}"


def opaque(image: np.ndarray) -> np.ndarray:
    return np.dstack([image, np.full(image.shape[:2], 255, np.uint8)])


FEW = (GREY[0] & 3) * 60  # grey levels
HUES = np.stack([FEW, FEW[::-1], 255 - FEW], axis=2)
KINDS = {
    "grey": (png(GREY[0]), GREY[0]),
    "colour": (png(COLOUR[0]), COLOUR[0]),
    "opaque grey": (png(opaque(GREY[0])), GREY[0]),
    "opaque colour": (png(opaque(COLOUR[0])), COLOUR[0]),
    "palette": (png(HUES, "P", bits=8), None),
    "1 bit": (raw(b"\0\xa0\0\x40", 2, 3, 1), np.array([[1, 0, 1], [0, 1, 0]]) * 255),
    "2 bits": (raw(b"\0\x1b\0\xe4", 2, 4, 2), np.array([[0, 1, 2, 3], [3, 2, 1, 0]]) * 85),
    "4 bits": (raw(b"\0\x0f\0\x70", 2, 2, 4), np.array([[0, 15], [7, 0]]) * 17),
}


@pytest.mark.parametrize(("content", "pixels"), KINDS.values(), ids=KINDS)
def test_every_usual_kind_of_png(content, pixels):
    image = read_png(content)
    if pixels is None:
        pixels = np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))
        assert image.shape == (2, 3, 3)
    np.testing.assert_array_equal(image, pixels)


def test_a_palette_keeps_its_colours():
    palette = Image.fromarray(HUES).quantize(16)
    stream = io.BytesIO()
    palette.save(stream, "PNG", bits=4)
    np.testing.assert_array_equal(read_png(stream.getvalue()), np.asarray(palette.convert("RGB")))


def test_black_and_white_images_have_one_level(save):
    black_or_white = (GREY & 1) * np.uint8(255)
    collection = load_file(save(numbered(black_or_white)))
    assert collection.levels == 1
    np.testing.assert_array_equal(collection.parts["train"], (GREY & 1).reshape(5, 6))


def test_levels_0_and_1_of_255_are_not_black_and_white(save):
    collection = load_file(save(numbered(GREY & 1)))
    assert collection.levels == 255
    np.testing.assert_array_equal(collection.parts["train"], (GREY & 1).reshape(5, 6))


def in_colours(image: np.ndarray) -> np.ndarray:
    return np.repeat(image[..., np.newaxis], 3, axis=2)


GREY_AS = {
    "colours": lambda image: png(in_colours(image)),
    "palette": lambda image: png(image, "P"),
    "colours with an alpha channel": lambda image: png(opaque(in_colours(image))),
}


@pytest.mark.parametrize("store", GREY_AS.values(), ids=GREY_AS)
@pytest.mark.parametrize("others", [0, 2])
def test_grey_that_is_stored_in_colours_is_grey(save, store, others):
    files = {f"{place}.png": store(image) for place, image in enumerate(GREY)}
    files |= dict(list(numbered(GREY).items())[:others])
    collection = load_file(save(files))
    assert (collection.levels, collection.image_shape) == (255, (2, 3))
    np.testing.assert_array_equal(collection.parts["train"], GREY.reshape(5, 6))
    assert collection.notes == [
        f"{5 - others} of 5 files hold grey alone, stored in colours or a palette, and are read as "
        "grey"
    ]


@pytest.mark.parametrize("coloured", [0, 4])
def test_one_image_in_colour_makes_all_images_coloured(save, coloured):
    images = [in_colours(image) for image in GREY]
    images[coloured] = COLOUR[0]
    collection = load_file(save(numbered(images)))
    assert collection.image_shape == (2, 3, 3) and not collection.notes
    np.testing.assert_array_equal(collection.parts["train"], np.stack(images).reshape(5, 18))


def test_black_and_white_in_a_palette_is_black_and_white(save):
    files = {f"{place}.png": png(image * 255, "P") for place, image in enumerate(GREY & 1)}
    collection = load_file(save(files))
    assert (collection.levels, collection.image_shape) == (1, (2, 3))


ODD_NAMES = [b"{x}.png", b"{.png", b" '\".png", b"-r.png", b"\xff\xe9.png", b"a\nb.png", b"~.png"]


@pytest.mark.fault(
    "PNG files with braces, quotes, newlines or bytes that are no UTF-8 in their names",
    outcome="read like any others",
)
def test_any_name_of_a_file_will_do(save):
    folder = save({})
    for name, image in zip(ODD_NAMES, GREY.repeat(2, axis=0)[: len(ODD_NAMES)], strict=True):
        (folder / os.fsdecode(name)).write_bytes(png(image))
    names = sorted(ODD_NAMES)
    contents = [(folder / os.fsdecode(name)).read_bytes() for name in names]
    lines = [
        hashlib.sha256(content).hexdigest().encode() + b"  " + name + b"\n"
        for content, name in zip(contents, names, strict=True)
    ]
    collection = load_file(folder)
    assert collection.origin.endswith(hashlib.sha256(b"".join(lines)).hexdigest())
    assert collection.origin.endswith(content_sha256(folder))


@pytest.mark.parametrize("name", ODD_NAMES)
def test_any_name_of_a_file_can_be_complained_about(save, name):
    folder = save({})
    (folder / os.fsdecode(name)).write_bytes(b"no image")
    with pytest.raises(BadData) as failure:
        load_file(folder)
    assert str(failure.value).isprintable() and "is no PNG file" in str(failure.value)


HOLES = opaque(COLOUR[0])
HOLES[0, 0, 3] = 254
GOOD = {"0.png": png(COLOUR[0])}
JPEG = io.BytesIO()
Image.fromarray(COLOUR[0]).save(JPEG, "JPEG")
ANIMATION = io.BytesIO()
Image.fromarray(COLOUR[0]).save(
    ANIMATION, "PNG", save_all=True, append_images=[Image.fromarray(COLOUR[1])]
)
TEXT_BOMB = chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(1 << 26)))
BOMB = header(60000, 60000) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
WIDE = header(1 << 13, 1 << 12) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")

REFUSED = {
    "empty": ({}, "the folder is empty; expected PNG files, or folders train"),
    "empty part": (
        {"train/0.png": png(COLOUR[0]), "test/.hidden": b""},
        "the folder test is empty; expected",
    ),
    "text": ({**GOOD, "notes.txt": b"?"}, "notes.txt is no PNG file; expected PNG files, or"),
    "jpeg": ({**GOOD, "1.jpg": JPEG.getvalue()}, "1.jpg is no PNG file; expected"),
    "jpeg by another name": ({"1.png": JPEG.getvalue()}, "1.png is no PNG file, or its header"),
    "nothing": ({"1.png": b""}, "1.png is no PNG file, or its header is damaged"),
    "folder": ({"cats/0.png": png(COLOUR[0])}, "cats is no PNG file; expected"),
    "folder beside": (
        {"train/0.png": png(COLOUR[0]), "cats/0.png": b""},
        "cats lies beside folders of images; expected",
    ),
    "file beside": (
        {"train/0.png": png(COLOUR[0]), "0.png": b""},
        "0.png lies beside folders of images; expected",
    ),
    "no train": ({"test/0.png": png(COLOUR[0])}, "there is no folder train; expected"),
    "deep": (
        {"train/0.png": png(COLOUR[0]), "train/1.txt": b""},
        "train/1.txt is no PNG file; expected",
    ),
    "two sizes": (
        {**GOOD, "1.png": png(COLOUR[0, :1])},
        "1.png is 1 x 3, but 0.png is 2 x 3; expected images of one size",
    ),
    "two sizes in parts": (
        {"train/0.png": png(GREY[0]), "test/0.png": png(GREY[0].T)},
        "test/0.png is 3 x 2, but train/0.png is 2 x 3; expected images of one size",
    ),
    "two kinds": (
        {**GOOD, "1.png": png(GREY[0])},
        "1.png is grey, but 0.png is in colour; expected images of one size, all grey or",
    ),
    "holes": ({"1.png": png(HOLES)}, "1.png is transparent in places; put it on a background"),
    "hole by a key": (
        {"1.png": png(COLOUR[0], transparency=tuple(map(int, COLOUR[0, 0, 0])))},
        "1.png is transparent in places",
    ),
    "16 bit": ({"1.png": png(GREY[0].astype(np.uint16) * 257)}, "1.png has 16 bits a sample; save"),
    "16 bit colour": (
        {"1.png": raw((b"\0" + bytes(18)) * 2, 2, 3, 16, 2)},
        "1.png has 16 bits a sample; save it with 8",
    ),
    "animation": ({"1.png": ANIMATION.getvalue()}, "1.png is an animation; save single images"),
    "bomb": ({"1.png": BOMB}, "1.png has more than 16777216 pixels"),
    "wide": ({"1.png": WIDE}, "1.png is 8192 x 4096, more than 16777216 pixels"),
    "text bomb": (
        {"1.png": png(GREY[0])[:CHUNKS] + TEXT_BOMB + png(GREY[0])[CHUNKS:]},
        "1.png is damaged or truncated: Decompressed data too large",
    ),
    "cut": ({"1.png": png(COLOUR[0])[:-30]}, "1.png is damaged or truncated"),
    "cut header": ({"1.png": png(COLOUR[0])[:20]}, "1.png is "),
    "checksum": (
        {"1.png": png(GREY[0])[:29] + b"????" + png(GREY[0])[CHUNKS:]},
        "1.png is no PNG file, or its header is damaged",
    ),
    "same": (
        {f"{part}/0.png": png(GREY[0]) for part in ("train", "test")},
        "train and test hold the same images",
    ),
}


@pytest.mark.parametrize(("files", "why"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_folder_of_images_is_refused_by_name_in_one_line(save, files, why):
    folder = save(files)
    with pytest.raises(BadData) as failure:
        load_file(folder)
    assert str(failure.value).startswith(f"{folder}: {why}")
    assert "\n" not in str(failure.value)


@pytest.mark.parametrize(
    "content", [png(COLOUR[0]), png(HUES, "P"), png(opaque(GREY[0]))], ids=["rgb", "p", "la"]
)
def test_no_damage_ends_in_anything_but_a_refusal(content):
    """Every cut and a spread of spoilt bytes: images, or one line."""
    spoilt = [content[:cut] for cut in range(len(content))]
    for position in range(len(content)):
        for value in (0, 0x28, 0xFF):
            spoilt.append(content[:position] + bytes([value]) + content[position + 1 :])
    for damaged in spoilt:
        try:
            read_png(damaged)
        except BadData as failure:
            assert "\n" not in str(failure)


@pytest.mark.parametrize(("images", "most"), [(GREY, 29), (COLOUR, 89)])
def test_more_images_than_are_read(save, monkeypatch, images, most):
    folder = save(numbered(images))
    load_file(folder)
    monkeypatch.setattr("elboflow.images.png_folder.MOST_FILE_BYTES", most)
    with pytest.raises(BadData, match=rf"values, more than the {most} that are read"):
        load_file(folder)


def test_a_folder_becomes_a_data_set(save, tmp_path, capsys):
    folder = save(numbered(COLOUR, "train/") | numbered(COLOUR[::-1, ::-1], "test/"))
    output = tmp_path / "out"
    words = ["--dataset", "mine", "--source", "file", "--path", str(folder)]
    words += ["--validation-images", "2", "--split-seed", "0", "--binarisation-seed", "0"]
    fetch_data.main([*words, "--output-dir", str(output)])
    assert "3 training, 2 validation, 5 test images of 2 x 3 x 3" in capsys.readouterr().out
    test, binary = np.load(output / "test.npy"), np.load(output / "test_binary.npy")
    np.testing.assert_array_equal(test, COLOUR[::-1, ::-1].reshape(5, 18))
    assert binary.shape == (5, 18) and set(binary.ravel()) <= {0, 1}
    assert not binary[test == 0].any() and binary[test == 255].all()


def test_a_file_that_may_not_be_read(save, monkeypatch, tmp_path):
    folder = save(GOOD)

    def forbidden(self: Path, *_: object) -> None:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "open", forbidden)
    words = ["--dataset", "mine", "--source", "file", "--path", str(folder)]
    words += ["--split-seed", "0", "--binarisation-seed", "0", "--output-dir", str(tmp_path)]
    with pytest.raises(SystemExit, match=r"0\.png cannot be read or written") as failure:
        fetch_data.main(words)
    assert "\n" not in str(failure.value)
