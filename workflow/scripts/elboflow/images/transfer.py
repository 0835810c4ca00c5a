"""Bringing one URL into a partial file, and going on where an earlier attempt ended."""

import time
from pathlib import Path
from typing import BinaryIO

import requests
from urllib3.exceptions import HTTPError, ReadTimeoutError

from elboflow.files.whole import naming
from elboflow.images.errors import BadData
from elboflow.images.progress import DownloadProgress
from elboflow.images.session import BrokenOff, Limits, TransferError, reason

CHUNK = 1 << 16


def transfer(
    session: requests.Session,
    url: str,
    part: Path,
    most: int,
    limits: Limits,
    progress: DownloadProgress,
) -> None:
    """Bring `url` into the file `part`, going on behind the bytes that are there already.

    A server that ignores the range makes it start over, and so does one that answers with another
    range, at the next attempt. Where the server has nothing behind the bytes that are there, they
    are left as they are.

    Args:
        most: bytes that the file can have; more are an error, so that nothing fills the disk.

    Raises:
        BrokenOff: the transfer ended early; what came is kept in `part`.
        TransferError: the mirror does not give the file.
    """
    have = part.stat().st_size if part.exists() else 0
    headers = {"Range": f"bytes={have}-"} if have else {}
    timeout = (limits.connect_timeout, limits.stall_timeout)
    try:
        with session.get(url, headers=headers, stream=True, timeout=timeout) as response:
            if have and response.status_code == requests.codes.requested_range_not_satisfiable:
                return
            start = _start(response, part, have)
            total = _total(response, start, most)
            with naming(part), part.open("r+b" if start else "wb") as stream:
                stream.seek(start)
                _receive(response, stream, total, most, limits, progress)
    except requests.RequestException as error:
        raise TransferError(reason(error, limits)) from error
    except BadData:
        raise
    # urllib's and urllib3's word on an address that requests let pass
    except ValueError as error:
        raise TransferError("names or redirects to no valid address") from error


def _start(response: requests.Response, part: Path, have: int) -> int:
    """The offset at which the body of `response` belongs into the file."""
    if response.status_code == requests.codes.ok:
        return 0
    if response.status_code != requests.codes.partial_content or not have:
        raise TransferError(f"HTTP {response.status_code}")
    if not response.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
        part.unlink()
        raise BrokenOff("answered with another range than was asked for")
    return have


def _total(response: requests.Response, start: int, most: int) -> int | None:
    """Bytes of the whole file, where the server says how many."""
    length = response.headers.get("Content-Length", "")
    total = start + int(length) if length.isdecimal() else None
    if total is not None and total > most:
        raise TransferError(f"{total} bytes, more than the file can have")
    return total


def _receive(
    response: requests.Response,
    stream: BinaryIO,
    total: int | None,
    most: int,
    limits: Limits,
    progress: DownloadProgress,
) -> None:
    """Write the body to `stream` until it ends, breaks off, stalls or grows too long."""
    window, window_start = time.monotonic(), stream.tell()
    while chunk := _read(response, stream, limits):
        stream.write(chunk)
        done = stream.tell()
        if done > most:
            stream.truncate(0)
            raise TransferError("more bytes than the file can have")
        progress.update(done, total)
        if (elapsed := time.monotonic() - window) > limits.stall_timeout:
            if done - window_start < limits.slowest * elapsed:
                raise BrokenOff(f"hardly any bytes for {elapsed:.0f} s")
            window, window_start = time.monotonic(), done


def _read(response: requests.Response, stream: BinaryIO, limits: Limits) -> bytes:
    """What has arrived, at most one chunk; empty at the end, at which urllib3 checks the length."""
    try:
        return bytes(response.raw.read1(CHUNK, decode_content=False) or b"")
    except ReadTimeoutError as error:
        raise BrokenOff(f"no byte for {limits.stall_timeout:g} s") from error
    except HTTPError as error:
        raise BrokenOff(f"broke off after {stream.tell()} bytes") from error
