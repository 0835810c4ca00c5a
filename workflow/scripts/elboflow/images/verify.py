"""Reading a published file, packed or not, and proving that it is the published one."""

import gzip
import hashlib
import zlib
from pathlib import Path

from elboflow.images.errors import WrongContent
from elboflow.images.sources import PublishedFile, known_as

GZIP_MAGIC = b"\x1f\x8b"


def unpack(path: Path, limit: int) -> bytes:
    """The bytes of `path`, unpacked if it is a gzip file; one byte more than `limit` at most.

    The bound keeps a file that unpacks to many gigabytes from filling memory or disk.

    Raises:
        WrongContent: the gzip stream is damaged or ends too early, or this is no file at all.
    """
    if not path.is_file():  # to open a pipe may take for ever
        raise WrongContent("it is a device, a pipe or a link to nothing")
    with path.open("rb") as stream:
        packed = stream.read(2) == GZIP_MAGIC
        stream.seek(0)
        try:
            return (
                gzip.GzipFile(fileobj=stream).read(limit + 1) if packed else stream.read(limit + 1)
            )
        except EOFError as error:
            raise WrongContent("the gzip file is truncated") from error
        except (gzip.BadGzipFile, zlib.error) as error:
            raise WrongContent("the gzip file is damaged") from error


def read_verified(path: Path, file: PublishedFile) -> bytes:
    """The unpacked bytes of `path`, which must be those of the published `file`.

    Raises:
        WrongContent: they are not; the message says what was expected and what was found.
    """
    content = unpack(path, file.most)
    if len(content) > file.most:
        raise WrongContent(f"holds more than the {file.most} bytes expected")
    if file.size is not None and len(content) < file.size:
        raise WrongContent(f"truncated: {len(content)} bytes, expected {file.size}")
    if file.git_blob and (found := git_blob(content)) != file.git_blob:
        raise WrongContent(f"expected git blob {file.git_blob}, found {found}")
    if file.sha256 and (found := hashlib.sha256(content).hexdigest()) != file.sha256:
        known = known_as(found)
        what = f" ({known})" if known else ""
        raise WrongContent(f"expected sha256 {file.sha256}, found {found}{what}")
    return content


def git_blob(content: bytes) -> str:
    """The name that git gives to a file of this content."""
    header = b"blob %d\0" % len(content)
    return hashlib.sha1(header + content, usedforsecurity=False).hexdigest()
