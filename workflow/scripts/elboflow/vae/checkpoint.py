"""Checkpoints of a training, which are either whole or not there."""

import hashlib
import io
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch

from elboflow.files.whole import in_words, set_aside, whole

DIGEST_BYTES = hashlib.sha256().digest_size


class CheckpointError(ValueError):
    """A checkpoint or model file that is truncated, damaged or no such file."""


def serialise(state: dict[str, Any]) -> bytes:
    """The bytes of a state of tensors, numbers, strings, lists and dicts."""
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return buffer.getvalue()


def deserialise(content: bytes) -> dict[str, Any]:
    """Read a state back; `weights_only` keeps it from running code."""
    return torch.load(io.BytesIO(content), weights_only=True, map_location="cpu")


def save(path: Path, content: bytes) -> None:
    """Write serialised state with its digest in front, keeping the one before as previous.pt."""
    with whole(path) as file:
        file.write(hashlib.sha256(content).digest() + content)
        file.flush()
        os.fsync(file.fileno())  # where there is no room, the one before keeps its name
        if path.exists():
            path.replace(path.with_name("previous.pt"))


def load(path: Path) -> bytes:
    """The serialised state of a checkpoint whose digest is right."""
    content = path.read_bytes()
    digest, body = content[:DIGEST_BYTES], content[DIGEST_BYTES:]
    if hashlib.sha256(body).digest() != digest:
        raise CheckpointError(f"{path}: truncated or damaged (its sha256 is wrong)")
    return body


def newest(folder: Path, wanted: str | None = None) -> tuple[bytes | None, list[str]]:
    """The newest whole checkpoint in a folder, and what was wrong with any newer one.

    Args:
        wanted: the digest of what it must be a state of.
    """
    problems: list[str] = []
    for name in ("checkpoint.pt", "previous.pt"):
        path = folder / name
        try:
            content = load(path)
            if wanted is None or deserialise(content).get("digest") == wanted:
                return content, problems
            problems.append(f"{path}: of another training")
        except FileNotFoundError:
            continue
        except (CheckpointError, IsADirectoryError) as error:
            problems.append(in_words(error) if isinstance(error, OSError) else str(error))
        set_aside(path)
    return None, problems


def adopt_former_layout(folder: Path) -> None:
    """Move states that lie where earlier versions kept them to where their digests belong."""
    for former in (folder.with_name(f"{folder.name}.superseded"), folder):
        content, _ = newest(former)
        if content is not None:
            own = folder / deserialise(content)["digest"][:16]
            own.mkdir(parents=True, exist_ok=True)
            for file in former.glob("*.pt"):
                file.replace(own / file.name)


def digest(parts: Iterable[str | bytes]) -> str:
    """One sha256 of several parts, each prefixed by its length so that no two lists collide."""
    total = hashlib.sha256()
    for part in parts:
        content = part.encode() if isinstance(part, str) else part
        total.update(len(content).to_bytes(8, "big") + content)
    return total.hexdigest()
