"""The user's images, of any format that a data set's `source: file` reads."""

from pathlib import Path

from elboflow.images.arrays import AnyArray
from elboflow.images.errors import BadData
from elboflow.images.own_files import MOST_FILE_BYTES, printable, read_unchanged, refuse_unusual
from elboflow.images.readers import read_parts


def read_images(path: Path, part: str | None) -> AnyArray:
    """The images of a file or folder as they are stored; black and white PNG files as bool.

    Args:
        part: which, where there are several.

    Raises:
        ValueError: they cannot be read, or it is not said which.
        OSError: there is no such file.
    """
    try:
        refuse_unusual(path)
        parts = _read_folder(path) if path.is_dir() else _read_file(path)
        if part is None and len(parts) > 1:
            raise BadData(f"holds {', '.join(parts)}; say with --part which")
        if part is not None and part not in parts:
            raise BadData(f"holds no {part}, but {', '.join(parts)}")
    except BadData as error:
        raise BadData(f"{printable(str(path))}: {error}") from error
    return parts[part or next(iter(parts))]


def _read_file(path: Path) -> dict[str, AnyArray]:
    return read_parts(read_unchanged(path, MOST_FILE_BYTES))


def _read_folder(path: Path) -> dict[str, AnyArray]:
    try:
        from elboflow.images.png_folder import folder_levels, read_folder
    except ImportError:
        raise BadData("PNG files need Pillow: pip install pillow; or give an .npy file") from None
    arrays, *_ = read_folder(path)
    found, levels = folder_levels(arrays)
    return {name: array.astype(bool) if levels == 1 else array for name, array in found.items()}
