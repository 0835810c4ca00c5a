"""Finding a published file: the user's folder, a system package, the cache, the network."""

import fcntl
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from elboflow.files.whole import write_bytes
from elboflow.images.download import download
from elboflow.images.errors import BadData, WrongContent
from elboflow.images.session import Limits
from elboflow.images.sources import PublishedFile, PublishedSource
from elboflow.images.verify import read_verified


def download_folder(source: PublishedSource) -> Path:
    """Where downloads of `source` are kept; XDG_CACHE_HOME moves it."""
    try:
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    except RuntimeError as error:  # in a container, a user may be a mere number
        raise BadData(
            "there is no home folder; set XDG_CACHE_HOME to a folder for downloads"
        ) from error
    return Path(base) / "elboflow" / "data" / source.name


def find(
    file: PublishedFile,
    source: PublishedSource,
    data_dir: Path | None,
    mirrors: Sequence[str],
    limits: Limits,
) -> bytes:
    """The published bytes of `file`, from the first place that has it.

    Raises:
        DataError: `data_dir` holds a wrong file, or no place has the file.
    """
    if data_dir and (path := _named(data_dir, file)):
        try:
            return read_verified(path, file)
        except WrongContent as error:
            raise BadData(
                f"{path} is not {file.name} of {source.title}: {error}; replace or remove it"
            ) from error
    if source.package and (path := _named(source.package, file)):
        try:
            return read_verified(path, file)
        except (WrongContent, OSError) as error:
            print(f"{path} is passed over: {error}", file=sys.stderr)
    try:
        return _cached(file, source, mirrors, limits)
    except OSError as error:
        raise BadData(
            f"the cache {download_folder(source)} cannot be used ({error.strerror or error}); "
            "set XDG_CACHE_HOME to a folder with room for it"
        ) from error


def _named(folder: Path, file: PublishedFile) -> Path | None:
    """What has the file's name in `folder`, packed or not: a file if there is one.

    Some archives name it train-images.idx3-ubyte, or put it into a folder of its name.
    """
    names = (file.name, file.name.replace("-idx", ".idx"))
    paths = [folder / f"{name}{packing}" for name in names for packing in ("", ".gz")]
    others = [path for path in paths if os.path.lexists(path) and not path.is_dir()]
    return next(iter([*filter(Path.is_file, paths), *others]), None)


def _cached(
    file: PublishedFile, source: PublishedSource, mirrors: Sequence[str], limits: Limits
) -> bytes:
    """The file out of the cache, after bringing it there if need be."""
    folder = download_folder(source)
    if (content := _from_cache(folder, file)) is not None:
        return content
    folder.mkdir(parents=True, exist_ok=True)
    with _locked(folder / f"{file.name}.lock"):
        # Another process may have brought it while this one waited.
        if (content := _from_cache(folder, file)) is None:
            content = download(file, mirrors or source.mirrors, folder, limits)
            write_bytes(folder / file.name, content)
    return content


def _from_cache(folder: Path, file: PublishedFile) -> bytes | None:
    path = folder / file.name
    if not path.is_file():
        return None
    try:
        return read_verified(path, file)
    except WrongContent as error:
        print(f"{path} is fetched again: {error}", file=sys.stderr)
        return None


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the lock `path`, which the system gives up when this process ends, however it ends.

    Some file systems have no locks. There two processes at once may spoil each other's partial
    file, which verification finds; the file under its final name is always whole.
    """
    with path.open("w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"{path.stem}: waiting for another process to fetch it", file=sys.stderr)
            fcntl.flock(stream, fcntl.LOCK_EX)
        except OSError as error:
            print(f"{path}: no lock here ({error.strerror}); going on", file=sys.stderr)
        yield
