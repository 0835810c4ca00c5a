"""Find what is wrong with a data set's keys, and how many images its splits will have.

Of the user's own files, the header alone is read: all the rest waits for fetch_data.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from elboflow.images.errors import BadData
from elboflow.images.own_files import png_files, printable, refuse_unusual
from elboflow.specification.yaml_readings import ConfigError

# Images that are published by part. Of a table, rows.
PUBLISHED_SIZES = {
    "digits": {"train": 1797},
    "mnist": {"train": 60_000, "test": 10_000},
    "fashion-mnist": {"train": 60_000, "test": 10_000},
    "binarized-mnist": {"train": 50_000, "validation": 10_000, "test": 10_000},
    "omniglot": {"train": 24_345, "test": 8_070},
    "spambase": {"train": 4_601},
}
TABLES = ("spambase",)  # of rows with labels, and no images
LABELLED = ("digits", "mnist", "fashion-mnist")  # whose images have labels, for figures alone
LEAST_ROWS = 100  # of a table, to train and to test a classifier
LEAST_TEST_IMAGES = 2  # for standard errors
DOWNLOADED = [source for source in PUBLISHED_SIZES if source != "digits"]

Sizes = dict[str, int | None]  # of the splits; None is what only fetch_data will know


def split_sizes(where: str, values: Mapping[str, Any], read_files: bool) -> Sizes:
    """Images of each split.

    Args:
        where: the place in the configuration, for messages.
        values: the resolved keys.
        read_files: whether to look at the user's own file.

    Raises:
        ConfigError: the data set cannot be made.
    """
    _check_keys(where, values)
    held_out = ("validation", "test")
    if values["source"] == "file" and not read_files:
        return {"train": None} | {part: values[f"{part}_images"] for part in held_out}
    parts = _parts(where, values)
    sizes: Sizes = {part: _held_out(where, part, parts, values) for part in held_out}
    left = parts["train"] - sum(sizes[part] or 0 for part in held_out if part not in parts)
    if left < 1:
        raise ConfigError(f"{where}: no training images are left of {_origin(values)}'s")
    if values["source"] in TABLES and min(left, sizes["test"] or 0) < LEAST_ROWS:
        raise ConfigError(
            f"{where}: a classifier needs {LEAST_ROWS} rows at least for training and for the test"
        )
    return {"train": left, **sizes}


def _check_keys(where: str, values: Mapping[str, Any]) -> None:
    source = values["source"]
    for key, sources in {"path": ["file"], "data_dir": DOWNLOADED, "mirrors": DOWNLOADED}.items():
        if values[key] and source not in sources:
            raise ConfigError(f"{where}.{key}: the source {source} takes none")
    for key in ("path", "data_dir"):
        if any("\ud800" <= character <= "\udfff" for character in values[key] or ""):
            raise ConfigError(f"{where}.{key}: {values[key]!a} is no text; rename it")
    if source == "file" and not values["path"]:
        raise ConfigError(f"{where}.path: the source file needs the path of your file")


def _held_out(
    where: str, part: str, parts: Mapping[str, int], values: Mapping[str, Any]
) -> int | None:
    """Images of a held-out split: those wanted, or all of the published ones."""
    source, wanted, published = _origin(values), values[f"{part}_images"], parts.get(part)
    where = f"{where}.{part}_images"
    if published is None:
        if wanted is None and not (values["source"] in TABLES and part == "validation"):
            raise ConfigError(
                f"{where}: {source} has no {part} split of its own; give the number of images to "
                "take for it"
            )
        return wanted
    if (wanted or 0) > published:
        raise ConfigError(f"{where}: {source} has {published} {part} images")
    if part == "test" and published < LEAST_TEST_IMAGES:
        raise ConfigError(f"{where}: {source} has 1 test image; standard errors need 2 at least")
    return published if wanted is None else wanted


def _origin(values: Mapping[str, Any]) -> str:
    return printable(values["path"] or values["source"])


def _parts(where: str, values: Mapping[str, Any]) -> Mapping[str, int]:
    """Images by part, as the source publishes them."""
    if values["source"] != "file":
        return PUBLISHED_SIZES[values["source"]]
    name, path = printable(values["path"]), Path(values["path"])
    try:
        refuse_unusual(path)
        if Path("results").resolve() in path.resolve().parents:
            raise BadData("lies in results/, where old files are removed; move it elsewhere")
        return _images_in_folder(path) if path.is_dir() else _images_in_file(path)
    except BadData as error:
        raise ConfigError(f"{where}.path: {name}: {error}") from error
    except OSError as error:
        place = printable(error.filename or name)
        raise ConfigError(
            f"{where}.path: {place} cannot be read ({error.strerror or error}); correct the path "
            "or its permissions"
        ) from error


def _images_in_folder(path: Path) -> dict[str, int]:
    return {part: len(files) for part, files in png_files(path).items()}


def _images_in_file(path: Path) -> dict[str, int]:
    from elboflow.images.levels import image_shape  # NumPy takes a while, and is only needed here
    from elboflow.images.readers import read_headers

    shapes = {part: header.shape for part, header in read_headers(path).items()}
    image_shape(shapes)
    return {part: shape[0] for part, shape in shapes.items()}
