"""Files that are either whole or not there: checkpoints of a training, and finished models."""

import hashlib
import io
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch

DIGEST_BYTES = hashlib.sha256().digest_size


class CheckpointError(ValueError):
    """A checkpoint or model file that is truncated, damaged or no such file."""


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file under a temporary name, sync it, and rename it: readers see all or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}.part")
    with aside.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)


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
    if path.exists():
        path.replace(path.with_name("previous.pt"))
    write_bytes(path, hashlib.sha256(content).digest() + content)


def load(path: Path) -> bytes:
    """The serialised state of a checkpoint whose digest is right."""
    content = path.read_bytes()
    digest, body = content[:DIGEST_BYTES], content[DIGEST_BYTES:]
    if hashlib.sha256(body).digest() != digest:
        raise CheckpointError(f"{path}: truncated or damaged (its sha256 is wrong)")
    return body


def newest(folder: Path) -> tuple[bytes | None, list[str]]:
    """The newest whole checkpoint in a folder, and what was wrong with any newer one."""
    problems: list[str] = []
    for name in ("checkpoint.pt", "previous.pt"):
        path = folder / name
        try:
            return load(path), problems
        except FileNotFoundError:
            continue
        except CheckpointError as error:
            problems.append(str(error))
            path.replace(path.with_suffix(".damaged"))
    return None, problems


def set_aside(folder: Path) -> None:
    """Move the state of another specification to a sibling folder, replacing an older one."""
    aside = folder.with_name(f"{folder.name}.superseded")
    aside.mkdir(parents=True, exist_ok=True)
    for file in folder.glob("*.pt"):
        file.replace(aside / file.name)


def digest(parts: Iterable[str | bytes]) -> str:
    """One sha256 of several parts, each prefixed by its length so that no two lists collide."""
    total = hashlib.sha256()
    for part in parts:
        content = part.encode() if isinstance(part, str) else part
        total.update(len(content).to_bytes(8, "big") + content)
    return total.hexdigest()


def load_model(path: Path) -> dict[str, Any]:
    """Read a finished model.pt."""
    try:
        document = deserialise(path.read_bytes())
        if not isinstance(document, dict) or not {"training", "model"} <= document.keys():
            raise CheckpointError(f"{path}: not a model of this workflow; train it again")
        return document
    except CheckpointError:
        raise
    except Exception as error:  # torch raises many types for damaged archives
        raise CheckpointError(
            f"{path}: unreadable ({type(error).__name__}); train it again"
        ) from error
