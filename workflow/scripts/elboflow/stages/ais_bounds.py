"""Bound log p(x) by annealed importance sampling, and split its gap, data-parallel over images."""

import argparse
import time
from dataclasses import asdict
from functools import partial
from typing import Any

import numpy as np

from elboflow.files.stage_outputs import taken, write_outputs
from elboflow.ranks.parts import (
    ImageValues,
    Part,
    Tick,
    as_columns,
    in_parts,
    open_state,
    require_finite,
    work_through,
)
from elboflow.ranks.place import Worker
from elboflow.ranks.speed import record_of_speed, speed_file
from elboflow.stages.evaluation_tables import table
from elboflow.stages.trained_model import load_vae, noise_seed, observed
from elboflow.trained.model_file import files_of
from elboflow.vae.annealing import amortisation
from elboflow.vae.annealing.bounds import COLUMNS, bounds, bounds_on_simulated, require_bracket
from elboflow.vae.arithmetic import set_arithmetic
from elboflow.vae.data import load_split
from elboflow.vae.model import simulation
from elboflow.vae.model.model import Model
from elboflow.vae.spec import BoundsSpec, SpecError, parse, read_run

FINITE_ESTIMATES = ("importance_nats", "ais_nats", "upper_nats")


def bound_part(
    vae: Model, spec: BoundsSpec, seed: int, images: np.ndarray, part: Part, tick: Tick
) -> ImageValues:
    """The columns of bounds.csv of one part; an image takes so long that time is up within one."""
    if part.origin == "test":
        x = observed(vae, images[part.images])
        found = bounds(vae, spec, seed, part.images, x, tick=tick)
        found |= amortisation.split_gap(vae, spec, seed, part.images, x, tick)
    else:
        numbers = [simulation.FIRST_IMAGE + image for image in part.images]
        found = bounds_on_simulated(vae, spec, seed, numbers, tick=tick)
    return require_finite(part, as_columns(found), FINITE_ESTIMATES)


def rows_of(part: Part, columns: ImageValues) -> list[dict[str, Any]]:
    """One row of bounds.csv for each image."""
    return [
        {"origin": part.origin, "image": image}
        | {name: values[place] for name, values in columns.items()}
        for place, image in enumerate(part.images)
    ]


def state_keys(document: dict[str, Any]) -> dict[str, Any]:
    """What a row depends on of the specification: not how many rows there are."""
    keys = ("elbo_samples", "importance_samples", "chunk_samples", "evaluation_seed")
    own = {k: v for k, v in document.items() if k.startswith("ais_") or k in keys}
    del own["ais_images"]
    return own


def run_bounds(args: argparse.Namespace, worker: Worker) -> None:
    """Bound all images and let rank 0 write them, once, at the end."""
    inputs = taken(args.evaluation, *files_of(args.model))
    run, document = read_run(args.evaluation)
    own, more = document.get("evaluation"), document.get("ais_bounds")
    values = {**own, **more} if isinstance(own, dict) and isinstance(more, dict) else None
    spec = parse(BoundsSpec, values, str(args.evaluation))
    if not spec.ais_images:
        raise SpecError(f"{args.evaluation}: ais_images is 0, so that there is nothing to do")
    vae, training, manifest = load_vae(args.model, args.data)
    if not vae.any_z_has_a_density:
        raise SpecError(
            f"{run}: AIS needs a z that may be any real numbers, and this model's may not; "
            "say ais_images: 0"
        )
    inputs[manifest.folder / "manifest.json"] = manifest.sha256
    set_arithmetic(training.precision, training.deterministic)
    vae.to(worker.device).requires_grad_(False)
    images = load_split(manifest, "test", vae.likelihood.observes)
    count = min(spec.ais_images, len(images))
    state = open_state(args, state_keys(asdict(spec)), manifest, worker)
    title = f"{run} seed {args.seed}, bounds by AIS"
    work = partial(bound_part, vae, spec, noise_seed(spec, args.seed), images)
    # As many simulated images as test images.
    wanted = [
        part
        for origin in ("test", "simulated")
        for part in in_parts(origin, count, spec.ais_chunk_images)
    ]
    began = time.monotonic()
    found, done = work_through(wanted, work, state, args.progress, title, worker)
    speed = record_of_speed(worker, run, args.seed, done, time.monotonic() - began)
    if worker.rank == 0:
        pairs = zip(wanted, found, strict=True)
        rows = [row for part, columns in pairs for row in rows_of(part, columns)]
        require_bracket(rows)
        header = ["origin", "image", *COLUMNS, *amortisation.COLUMNS]
        content = table(",".join(header), ([row.get(name) for name in header] for row in rows))
        write_outputs({args.bounds: content}, inputs, unrecorded={args.speed: speed_file(speed)})
