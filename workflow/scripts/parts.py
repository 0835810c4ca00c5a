"""Work on images in parts, saved when done: an interrupted job goes on with the others.

Parts are consecutive images and the same for any number of ranks, and so are all shapes in them.
"""

import argparse
import json
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import horovod.torch as hvd
import job_end
import torch
from progress import Progress
from state_digest import state_digest
from vae import checkpoint
from vae.data import Manifest
from vae.estimate import chunks
from worker import Worker

Columns = dict[str, Any]
"""A list of values, one for each image, under each name."""


@dataclass(frozen=True)
class Part:
    """Some consecutive images of one origin: of the test split, or simulated, say."""

    origin: str
    first: int
    count: int

    @property
    def file(self) -> str:
        return f"{self.origin}_{self.first:06}.json"

    @property
    def images(self) -> range:
        return range(self.first, self.first + self.count)


def split(origin: str, images: int, size: int) -> list[Part]:
    """Images 0 .. images - 1 in parts of at most `size`."""
    return [Part(origin, first, count) for first, count in chunks(images, size)]


def as_columns(tensors: dict[str, torch.Tensor]) -> Columns:
    """Values of a part that JSON can hold, with every digit."""
    return {name: values.double().cpu().tolist() for name, values in tensors.items()}


def stop_in_time(title: str) -> None:
    """End this job where its time is up, and ask for another."""
    if job_end.is_due():
        job_end.go_on_in_another_job(
            f"{title}: the time of this job is up; finished images are saved, and the others "
            "follow when it is started again"
        )


def open_state(
    args: argparse.Namespace, settings: dict[str, Any], manifest: Manifest, worker: Worker
) -> Path:
    """The folder of the parts of this model. Of other models and settings rank 0 keeps the latest.

    Args:
        args: the flags of trained_model.add_inputs.
        settings: what the values of an image depend on, beside model, seed and data.
    """
    own = {**settings, "model": checkpoint.digest([args.model.read_bytes()])}
    folder: Path = args.state
    state = folder / state_digest(own, args.seed, manifest.sha256)[:16]
    if worker.rank == 0 and not state.exists():
        others = [path for path in folder.glob("*") if path.is_dir()]
        others.sort(key=lambda path: path.stat().st_mtime_ns)
        if others:
            print(
                f"{folder}: what is there is of another model or specification; starting over",
                file=sys.stderr,
            )
        for older in others[:-1]:
            shutil.rmtree(older)
    return state


def finished(state: Path, wanted: Sequence[Part]) -> dict[Part, Columns]:
    """What an earlier job has finished."""
    found = {}
    for part in wanted:
        try:
            columns = json.loads((state / part.file).read_text())
        except (OSError, ValueError):  # not there yet, or damaged: it is done again
            continue
        if isinstance(columns, dict) and _is_whole(columns, part.count):
            found[part] = columns
    return found


def _is_whole(columns: Columns, count: int) -> bool:
    """Whether there is a value for every image under every name."""
    return bool(columns) and all(
        isinstance(values, list) and len(values) == count for values in columns.values()
    )


def work_through(
    wanted: Sequence[Part],
    work: Callable[[Part], Columns],
    state: Path,
    title: str,
    worker: Worker,
) -> tuple[list[Columns], int]:
    """The columns of all parts in their order, on every rank, and how many images are new.

    The others are from an earlier job.
    """
    known = finished(state, wanted) if worker.rank == 0 else {}
    # Horovod: rank 0 alone looks, since other hosts may see files late.
    done = hvd.broadcast_object(set(known), root_rank=0, name="finished")
    left = [part for part in wanted if part not in done]
    mine = left[worker.rank :: worker.size]
    total = sum(part.count for part in mine)
    progress = Progress(title, max(total, 1), ranks=worker.size, silent=worker.rank != 0)
    new: dict[Part, Columns] = {}
    for part in mine:
        stop_in_time(title)
        new[part] = work(part)
        checkpoint.write_bytes(state / part.file, json.dumps(new[part]).encode())
        progress.advance(part.count)
    progress.close()
    # Horovod: shares may differ in size, so objects, not tensors, are gathered.
    for share in hvd.allgather_object((known, new)):
        known = known | share[0] | share[1]
    return [known[part] for part in wanted], sum(part.count for part in left)
