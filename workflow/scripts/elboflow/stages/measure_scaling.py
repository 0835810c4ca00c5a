"""Time a run's training steps on as many ranks as the launcher started, weak and strong."""

import argparse
import json
import os
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from elboflow.files.stage_outputs import write_outputs
from elboflow.ranks.collectives import gather
from elboflow.ranks.place import Worker
from elboflow.ranks.timed_sum import SPLIT, TimedSum, split_of
from elboflow.stages.train import allreduce, begin
from elboflow.vae.arithmetic import set_arithmetic
from elboflow.vae.data import load, read_manifest
from elboflow.vae.spec import TrainingSpec, parse, read_run, verify_files
from elboflow.vae.training.training import Training

ROUNDS = 5  # of each kind, of whose values the median counts
WARM_UP = 20  # steps


def oversubscribed(worker: Worker) -> bool:
    """Whether ranks of this host share its cores, or its GPUs."""
    if worker.gpu:
        return worker.local_size > torch.cuda.device_count()
    return worker.local_size * worker.threads > len(os.sched_getaffinity(0))


def resized(spec: TrainingSpec, batch_size: int) -> TrainingSpec:
    """The run with another batch, and as many steps, which decide whether they are compiled."""
    epochs = -(-spec.epochs * batch_size // spec.batch_size)
    return replace(spec, batch_size=batch_size, epochs=epochs)


def take_steps(training: Training, timed: TimedSum, steps: int) -> float:
    """Take steps that no epoch ends; seconds from the ranks' meeting to the last of them."""
    timed.meet()
    began = timed.now()
    for _ in range(steps):
        training.advance()
    return timed.now() - began


def measure(training: Training, timed: TimedSum, steps: int) -> dict[str, float]:
    """Seconds of a step as it is, and of its parts in steps before whose sum the ranks meet."""
    take_steps(training, timed, WARM_UP)
    rounds = []
    for _ in range(ROUNDS):
        seconds = take_steps(training, timed, steps) / steps
        timed.split = True
        take_steps(training, timed, steps)
        timed.split = False
        parts = split_of(np.stack(gather(timed.taken())))
        rounds.append([seconds, *parts.values()])
    names = ("step", *SPLIT)
    return dict(zip(names, map(float, np.median(rounds, axis=0)), strict=True))


def measure_scaling(args: argparse.Namespace, worker: Worker) -> None:
    """Measure both kinds and, on rank 0, write what they took."""
    run, document = read_run(args.training)
    spec = parse(TrainingSpec, document.get("training"), str(args.training))
    verify_files(spec)
    set_arithmetic(spec.precision, spec.deterministic)
    manifest = read_manifest(args.data / spec.dataset)
    grey = load(manifest, "train.npy")
    sizes = {"strong": spec.batch_size, "weak": args.images_per_rank * worker.size}
    kinds: dict[str, dict[str, Any]] = {}
    for kind, batch_size in sizes.items():
        timed = TimedSum(worker, allreduce(worker))
        training = begin(manifest, grey, resized(spec, batch_size), args.seed, worker, timed)
        kinds[kind] = {
            "batch_size": batch_size,
            "seconds": measure(training, timed, args.steps),
            "bytes": timed.bytes,
        }
    places = gather((worker.host, oversubscribed(worker)))
    record = {
        "run": run,
        "ranks": worker.size,
        "threads_per_rank": worker.threads,
        "device": worker.device_name,
        "adds_with": worker.adds_with,
        "hosts": sorted({host for host, _ in places}),
        "oversubscribed": any(shared for _, shared in places),
        "kinds": kinds,
    }
    if worker.rank == 0:
        content = (json.dumps(record, indent=2) + "\n").encode()
        write_outputs({}, {}, unrecorded={args.record: content})
