"""Read the JSON documents that the stages wrote, and refuse in one line what cannot be used."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from elboflow.reading.errors import InputError
from elboflow.vae.spec import PARTS

# What a value must be: a test, or an object with at least these keys. Nested mappings have no
# finite type, hence Any.
Expected = Mapping[str, Any]
Test = Callable[[Any], bool]


def is_text(value: Any) -> bool:
    return isinstance(value, str)


def is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(map(is_text, value))


def is_integer(value: Any) -> bool:
    return type(value) is int  # and no bool


def is_number(value: Any) -> bool:
    return type(value) in (int, float)


def is_positive(value: Any) -> bool:
    return is_integer(value) and value > 0


def is_counts(value: Any) -> bool:
    return isinstance(value, dict) and all(map(is_positive, value.values()))


def is_shape(value: Any) -> bool:
    """Height and width, and 3 for images in colour."""
    sizes = isinstance(value, list) and all(map(is_positive, value))
    return sizes and (len(value) == 2 or value[2:] == [3])


def or_null(test: Test) -> Test:
    """The test of a value that may also be null."""
    return lambda value: value is None or test(value)


RUN: Expected = {
    **{name: {} for name in PARTS},
    "training": {"dataset": is_text, "patience": or_null(is_integer)},
}
MODEL: Expected = {"noise": is_text}
SPLITS = ("train", "validation", "test", "validation_binary", "test_binary")
MANIFEST: Expected = {
    **dict.fromkeys(("dataset", "origin", "licence"), is_text),
    **dict.fromkeys(("split_seed", "binarisation_seed"), is_integer),
    "image_shape": is_shape,
    "levels": is_positive,
    "files": {f"{name}.npy": {"images": is_positive, "sha256": is_text} for name in SPLITS},
}


def read_run_json(path: str | Path) -> dict[str, Any]:
    """Read the specification of a run; raises InputError."""
    return read_json(path, RUN)


def read_manifest_json(path: str | Path) -> dict[str, Any]:
    """Read what fetch_data says of a data set; raises InputError."""
    manifest = {"duplicates": {}, **read_json(path, MANIFEST)}
    _refuse(path, manifest, {"duplicates": is_counts})
    return manifest


def read_json(path: str | Path, expected: Expected) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        InputError: it is not JSON, lacks one of the keys, or has another kind of value there.
    """
    try:
        document = json.loads(Path(path).read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: not JSON ({error}); delete the file and run again") from None
    _refuse(path, document, expected)
    return document


def _refuse(path: str | Path, document: Any, expected: Expected) -> None:
    if complaint := _complaint("the document", document, expected):
        raise InputError(f"{path}: {complaint}; delete the file and run again")


def _complaint(name: str, value: Any, expected: Expected | Test) -> str | None:
    """What is wrong with a value or, if it is an object, with the first of its values."""
    if not (expected(value) if callable(expected) else isinstance(value, dict)):
        return f"{name} cannot be {json.dumps(value)[:60]}"
    for key, inner in () if callable(expected) else expected.items():
        if key not in value:
            return f"no key {key!r}"
        if complaint := _complaint(repr(key), value[key], inner):
            return complaint
    return None
