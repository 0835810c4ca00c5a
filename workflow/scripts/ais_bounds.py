"""Bound log p(x) by annealed importance sampling, data-parallel over images.

    workflow/scripts/launch.sh --nodes 1 --tasks-per-node 2 --threads-per-rank 1 --mpi mpirun \
        --venv results/environment/venv -- workflow/scripts/ais_bounds.py \
        --evaluation results/runs/RUN/evaluation.json --model results/runs/RUN/seed1/model.pt \
        --data results/data --seed 1 --state results/state/RUN/seed1/ais_bounds \
        --bounds results/runs/RUN/seed1/bounds.csv

Images are worked on in parts of ais_chunk_images, which are the same for any number of ranks. Each
is saved when it is done, and an interrupted job goes on with those that are left.
"""

import argparse
import json
import shutil
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import horovod.torch as hvd
import job_end
import numpy as np
from evaluate import add_inputs, load_vae, noise_seed, observed, table
from progress import Progress
from state_digest import state_digest
from user_errors import in_one_line
from vae import checkpoint, simulation
from vae.arithmetic import set_arithmetic
from vae.bounds import COLUMNS, bounds, bounds_on_simulated, require_bracket
from vae.data import DataError, load_split
from vae.estimate import chunks
from vae.networks import VAE
from vae.spec import EvaluationSpec, SpecError, parse, read_run
from vae.summary import ImpossibleResult
from worker import Worker, start

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Part:
    """Some consecutive images, of the test split or simulated."""

    origin: str
    first: int
    count: int

    @property
    def file(self) -> str:
        return f"{self.origin}{self.first:06}.json"


def parts(spec: EvaluationSpec) -> list[Part]:
    """All that is to be done: as many simulated images as test images."""
    return [
        Part(origin, first, count)
        for origin in ("test", "simulated")
        for first, count in chunks(spec.ais_images, spec.ais_chunk_images)
    ]


def bound_part(
    vae: VAE, spec: EvaluationSpec, seed: int, images: np.ndarray, part: Part, title: str
) -> Rows:
    """The rows of bounds.csv of one part."""

    def stop_in_time() -> None:
        if job_end.is_due():
            job_end.go_on_in_another_job(
                f"{title}: the time of this job is up; finished images are saved, and the others "
                "follow when it is started again"
            )

    ids = range(part.first, part.first + part.count)
    if part.origin == "test":
        x = observed(vae, images[ids.start : ids.stop])
        found = bounds(vae, spec, seed, ids, x, tick=stop_in_time)
    else:
        numbers = [simulation.FIRST_IMAGE + image for image in ids]
        found = bounds_on_simulated(vae, spec, seed, numbers, tick=stop_in_time)
    columns = {name: values.tolist() for name, values in found.items()}
    return [
        {"origin": part.origin, "image": image}
        | {name: values[place] for name, values in columns.items()}
        for place, image in enumerate(ids)
    ]


def finished_parts(state: Path, wanted: Sequence[Part]) -> dict[str, Rows]:
    """The rows of those parts that an earlier job has finished, by the names of their files."""
    found = {}
    for part in wanted:
        try:
            rows = json.loads((state / part.file).read_text())
        except (OSError, ValueError):  # not there yet, or damaged: it is done again
            continue
        found[part.file] = rows
    return found


def open_state(folder: Path, digest: str) -> Path:
    """The folder of this digest's parts; those of other models or settings are removed."""
    state = folder / digest[:16]
    for other in sorted(folder.glob("*")):
        if other.name != state.name:
            print(f"{other}: is of another model or specification; starting over", file=sys.stderr)
            shutil.rmtree(other)
    return state


def digest_of(document: dict[str, Any], model: Path, seed: int, data_sha256: str) -> str:
    """Digest of all that the rows depend on."""
    keys = ("importance_samples", "chunk_samples", "evaluation_seed")
    own = {k: v for k, v in document.items() if k.startswith("ais_") or k in keys}
    own["model"] = checkpoint.digest([model.read_bytes()])
    return state_digest(own, seed, data_sha256)


def bound_all(
    vae: VAE,
    spec: EvaluationSpec,
    seed: int,
    images: np.ndarray,
    state: Path,
    title: str,
    worker: Worker,
) -> Rows:
    """Rows of all images on rank 0, of which some may be from an earlier job."""
    wanted = parts(spec)
    known = finished_parts(state, wanted) if worker.rank == 0 else {}
    # Horovod: rank 0 alone looks, since other hosts may see files late.
    names = hvd.broadcast_object(sorted(known), root_rank=0, name="finished")
    mine = [part for part in wanted if part.file not in set(names)][worker.rank :: worker.size]
    total = sum(part.count for part in mine)
    progress = Progress(title, max(total, 1), ranks=worker.size, silent=worker.rank != 0)
    done: dict[str, Rows] = {}
    for part in mine:
        done[part.file] = bound_part(vae, spec, seed, images, part, title)
        checkpoint.write_bytes(state / part.file, json.dumps(done[part.file]).encode())
        progress.advance(part.count)
    progress.close()
    # Horovod: shares may differ in size, so objects, not tensors, are gathered.
    for share in hvd.allgather_object(done):
        known |= share
    return [row for part in wanted for row in known.get(part.file, [])]


def run_bounds(args: argparse.Namespace, worker: Worker) -> None:
    """Bound all images and let rank 0 write them, once, at the end."""
    run, document = read_run(args.evaluation)
    spec = parse(EvaluationSpec, document.get("evaluation"), str(args.evaluation))
    if not spec.ais_images:
        raise SpecError(f"{args.evaluation}: ais_images is 0, so that there is nothing to do")
    vae, training, manifest = load_vae(args.model, args.data)
    set_arithmetic(training.precision, training.deterministic)
    vae.to(worker.device).requires_grad_(False)
    images = load_split(manifest, "test", vae.likelihood.observes)
    if len(images) < spec.ais_images:
        raise DataError(f"ais_images: {spec.ais_images} is more than the {len(images)} test images")
    digest = digest_of(asdict(spec), args.model, args.seed, manifest.sha256)
    state = open_state(args.state, digest) if worker.rank == 0 else args.state / digest[:16]
    title = f"{run} seed {args.seed}, bounds by AIS"
    rows = bound_all(vae, spec, noise_seed(spec, args.seed), images, state, title, worker)
    if worker.rank == 0:
        require_bracket(rows)
        header = ["origin", "image", *COLUMNS]
        content = table(",".join(header), ([row.get(name) for name in header] for row in rows))
        checkpoint.write_bytes(args.bounds, content)


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_inputs(parser)
    parser.add_argument("--state", type=Path, required=True, help="folder of finished images")
    parser.add_argument("--bounds", type=Path, required=True, help="bounds.csv to write")
    return parser.parse_args()


if __name__ == "__main__":
    arguments = parse_args()
    this = start()
    with in_one_line(this.rank, ImpossibleResult):
        run_bounds(arguments, this)
