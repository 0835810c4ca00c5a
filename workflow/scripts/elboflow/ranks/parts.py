"""Work on images in parts, saved when done: an interrupted job goes on with the others.

Parts are consecutive images and the same for any number of ranks, and so are all shapes in them.
"""

import argparse
import json
import math
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from elboflow.files.whole import in_words, set_aside, write_bytes
from elboflow.ranks import job_end, kept_states, state_lock
from elboflow.ranks.collectives import gather, share_object
from elboflow.ranks.place import Worker
from elboflow.ranks.progress import Progress
from elboflow.ranks.state_digest import state_digest
from elboflow.trained.model_file import files_of
from elboflow.vae.checkpoint import digest
from elboflow.vae.data import Manifest
from elboflow.vae.measure.checks import ImpossibleResult
from elboflow.vae.measure.estimate import chunks

ImageValues = dict[str, Any]
"""A list of values, one for each image, under each name."""
Tick = Callable[[], None]


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


def in_parts(origin: str, images: int, size: int) -> list[Part]:
    """Images 0 .. images - 1 in parts of at most `size`."""
    return [Part(origin, first, count) for first, count in chunks(images, size)]


def as_columns(tensors: dict[str, torch.Tensor]) -> ImageValues:
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
    """The folder of the parts of this model; rank 0 keeps some of other models and settings.

    Args:
        args: the flags of trained_model.add_inputs.
        settings: what the values of an image depend on, beside model, seed and data.
    """
    own = {**settings, "model": digest(path.read_bytes() for path in files_of(args.model))}
    state = kept_states.place(args.state, state_digest(own, args.seed, manifest.sha256))
    if worker.rank == 0:
        state_lock.hold(args.progress, args.model.parent)
        kept_states.begin(state, args.model.parent)
    return state


def finished(state: Path, wanted: Sequence[Part]) -> dict[Part, ImageValues]:
    """What an earlier job has finished; what was damaged since is set aside."""
    found = {}
    for part in wanted:
        path = state / part.file
        try:
            content = path.read_bytes()
            problem = "its content is not what was written"
        except FileNotFoundError:
            continue
        except OSError as error:
            content, problem = b"", in_words(error)
        if (body := _verified(state, part, content)) is not None:
            found[part] = json.loads(body)
        else:
            set_aside(path)
            print(f"{path}: damaged ({problem}); its images are done again", file=sys.stderr)
    return found


def save_part(state: Path, part: Part, columns: ImageValues) -> None:
    """Write a part, under a digest of its content and of which part it is."""
    body = json.dumps(columns).encode()
    write_bytes(state / part.file, f"{_digest(state, part, body)}\n".encode() + body)


def _verified(state: Path, part: Part, content: bytes) -> bytes | None:
    """What was saved as this very part, of these settings."""
    told, _, body = content.partition(b"\n")
    return body if told == _digest(state, part, body).encode() else None


def _digest(state: Path, part: Part, body: bytes) -> str:
    return digest([state.name, part.file, str(part.count), body])


def require_finite(part: Part, columns: ImageValues, names: Sequence[str]) -> ImageValues:
    """The columns, if those named are finite for all images; raises ImpossibleResult."""
    for name in names:
        wrong = [
            str(image)
            for image, value in zip(part.images, columns.get(name, []), strict=False)
            if not math.isfinite(value)
        ]
        if wrong:
            raise ImpossibleResult(
                f"{name} is not finite for {part.origin} image {', '.join(wrong)}: train the run "
                "again with a lower learning_rate or a higher precision, or look at these images"
            )
    return columns


def work_through(
    wanted: Sequence[Part],
    work: Callable[[Part, Tick], ImageValues],
    state: Path,
    told: Path,
    title: str,
    worker: Worker,
) -> tuple[list[ImageValues], int]:
    """The columns of all parts in their order, on every rank, and how many images are new.

    The others are from an earlier job.

    Args:
        work: calls its second argument now and then, where a part takes long.
        told: the folder in which progress is told.
    """
    known = finished(state, wanted) if worker.rank == 0 else {}
    # Rank 0 alone looks, since other hosts may see files late.
    done = share_object(set(known), "finished")
    left = [part for part in wanted if part not in done]
    counted = (images_in(wanted), images_in(done))
    progress = Progress(title, *counted, silent=worker.rank != 0, folder=told)

    def tick() -> None:
        stop_in_time(title)
        if progress.is_due():
            progress.reach(saved_images(state, wanted))

    new: dict[Part, ImageValues] = {}
    for part in left[worker.rank :: worker.size]:
        tick()
        new[part] = work(part, tick)
        save_part(state, part, new[part])
        if worker.rank == 0:
            progress.reach(saved_images(state, wanted))
    for share in gather((known, new)):
        known = known | share[0] | share[1]
    progress.reach(images_in(wanted))
    progress.close()
    return [known[part] for part in wanted], images_in(left)


def images_in(parts: Iterable[Part]) -> int:
    return sum(part.count for part in parts)


def saved_images(state: Path, wanted: Sequence[Part]) -> int:
    """How many images all ranks have saved, as far as their files can be seen from here."""
    there = {path.name for path in state.iterdir()}
    return images_in(part for part in wanted if part.file in there)
