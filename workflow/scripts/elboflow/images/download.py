"""Bringing a published file from the first mirror that gives it."""

import sys
import time
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import requests

from elboflow.images.errors import BadData, WrongContent
from elboflow.images.progress import DownloadProgress
from elboflow.images.session import BrokenOff, Limits, TransferError, open_session, shown_host
from elboflow.images.sources import PublishedFile
from elboflow.images.transfer import transfer
from elboflow.images.verify import read_verified


def check_mirrors(mirrors: Sequence[str]) -> None:
    """Refuse what is not an http(s) address before anything is sent."""
    for mirror in mirrors:
        if not _is_address(mirror):
            raise BadData(f"mirror {mirror!r} is not an http or https address; correct mirrors")


def _is_address(mirror: str) -> bool:
    try:
        requests.Request("GET", mirror).prepare()
        return mirror.startswith(("http://", "https://")) and bool(shown_host(mirror))
    except ValueError:  # the errors of requests, too, are of that kind
        return False


def download(file: PublishedFile, mirrors: Sequence[str], folder: Path, limits: Limits) -> bytes:
    """The published bytes of `file`, from the first mirror that gives them.

    A mirror's partial file stays in `folder` when a transfer breaks off, so that the next
    attempt, or the next call, goes on where it ended. It goes once its content is verified.

    Raises:
        DataError: no mirror gives the file; the message says why for each of them.
    """
    failures = []
    with open_session(limits) as session:
        for mirror in mirrors:
            try:
                return _from_mirror(session, file, mirror, folder, limits)
            except (TransferError, WrongContent) as error:
                print(f"{file.name} from {shown_host(mirror)}: {error}", file=sys.stderr)
                short = "wrong content" if isinstance(error, WrongContent) else error
                failures.append(f"{shown_host(mirror)}: {short}")
    raise BadData(
        f"{file.name} could not be downloaded ({'; '.join(failures)}); "
        f"put {file.name}{file.packing} into a folder and set data_dir to that folder"
    )


def part_path(folder: Path, file: PublishedFile, url: str) -> Path:
    """Where the bytes of `url` gather. One per mirror: their gzip files need not be the same."""
    return folder / f"{file.name}.{sha256(url.encode()).hexdigest()[:8]}.part"


def _from_mirror(
    session: requests.Session, file: PublishedFile, mirror: str, folder: Path, limits: Limits
) -> bytes:
    url = f"{mirror.rstrip('/')}/{file.name}{file.packing}"
    part = part_path(folder, file, url)
    in_one_go = not part.exists()
    in_one_go &= _complete(session, url, part, file, limits) == 1
    try:
        return _verify(part, file)
    except WrongContent:
        if in_one_go:
            raise
    # Pieces brought at different times may be of different files: once more, from the start.
    _complete(session, url, part, file, limits)
    return _verify(part, file)


def _verify(part: Path, file: PublishedFile) -> bytes:
    """The published bytes in `part`, which has served its purpose, whatever it holds."""
    try:
        return read_verified(part, file)
    finally:
        part.unlink(missing_ok=True)


def _complete(
    session: requests.Session, url: str, part: Path, file: PublishedFile, limits: Limits
) -> int:
    """Transfer until the body is complete, with growing pauses after transfers that break off.

    Returns:
        How many transfers it took.
    """
    most = file.most + file.most // 100 + (1 << 16)  # gzip adds less than that to random bytes
    attempt = 1
    while True:
        progress = DownloadProgress(f"{file.name} from {shown_host(url)}")
        try:
            transfer(session, url, part, most, limits, progress)
            return attempt
        except BrokenOff:
            if attempt == limits.attempts:
                raise
        finally:
            progress.close()
        time.sleep(limits.backoff * 2 ** (attempt - 1))
        attempt += 1
