"""Train one VAE, data-parallel over the ranks that the launcher started."""

import argparse
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from elboflow.files.stage_outputs import taken, write_outputs
from elboflow.ranks import job_end, kept_states, state_lock
from elboflow.ranks.collectives import add, share, share_object
from elboflow.ranks.followed import Followed
from elboflow.ranks.place import Worker
from elboflow.ranks.speed import Pace, record_of_speed, speed_file
from elboflow.ranks.state_digest import state_digest
from elboflow.ranks.tensorboard import forget
from elboflow.trained.model_file import model_files
from elboflow.vae import checkpoint
from elboflow.vae.arithmetic import set_arithmetic
from elboflow.vae.data import Manifest, load, load_split, mean_image, read_manifest
from elboflow.vae.given_weights import load_weights
from elboflow.vae.model.make import make_model
from elboflow.vae.model.own.check import require_fit
from elboflow.vae.model.training_images import observed_training
from elboflow.vae.spec import TrainingSpec, parse, read_run, verify_files
from elboflow.vae.training.compiled import is_worth_compiling
from elboflow.vae.training.gradient import Allreduce
from elboflow.vae.training.steps import Diverged
from elboflow.vae.training.training import Training, total_steps

LOOKED_AT = 6  # training images on which a user's model is tried
EVENTS = "tensorboard"  # the folder of event files beside the model


def allreduce(worker: Worker) -> Allreduce:
    """The one collective of a step: a sum over ranks, in place.

    The batch size is divided by already. One rank would wait for nothing.
    """
    return partial(add, name="sum") if worker.size > 1 else lambda _: None


def begin(
    manifest: Manifest,
    grey: np.ndarray,
    spec: TrainingSpec,
    seed: int,
    worker: Worker,
    allreduce: Allreduce,
) -> Training:
    """A rank's view of a training before its first step; `grey` is the data set's train.npy."""
    vae = make_model(spec, manifest.shape)
    vae.initialise(seed, mean_image(grey, manifest.shape.levels))
    if spec.weights:
        load_weights(vae, Path(spec.weights))
    vae.to(worker.device)
    require_fit(vae, observed_training(vae, seed, grey, LOOKED_AT), trains=not spec.weights)
    validation = load_split(manifest, "validation", vae.likelihood.observes)
    place = (worker.rank, worker.size, allreduce)
    return Training(vae, spec, seed, grey, manifest.shape.levels, validation, *place)


def restore(training: Training, args: argparse.Namespace, digest: str, worker: Worker) -> None:
    """Let every rank go on from rank 0's newest whole checkpoint of the same digest."""
    content = None
    if worker.rank == 0:
        state_lock.hold(args.progress, args.model.parent)
        checkpoint.adopt_former_layout(args.state.parent)
        kept_states.begin(args.state, args.model.parent)
        content, problems = checkpoint.newest(args.state, digest)
        for problem in problems:
            print(f"{problem}; going on from an older one", file=sys.stderr, flush=True)
    # Bytes: Horovod's broadcast_optimizer_state would step a fresh optimizer.
    content = share_object(content, "state")
    if content is not None:
        training.load_state(checkpoint.deserialise(content))
    # No rank may start from values that another kind of processor rounded differently.
    share(training.flat.values.data, "values")


def run_to_the_end(
    training: Training, title: str, args: argparse.Namespace, digest: str, worker: Worker
) -> Pace:
    """Train until the last epoch or early stopping; the pace of the steps."""
    events = args.model.parent / EVENTS if args.tensorboard else None
    followed = Followed(training, title, args.progress, events, worker)
    saved, pace = time.monotonic(), Pace()
    while not training.finished:
        began = time.monotonic()
        try:
            epoch_ended = training.advance()
            pace.add(time.monotonic() - began, training.spec.batch_size)
            if epoch_ended:
                training.end_epoch()
            followed.step()
            if worker.rank == 0 and time.monotonic() - saved >= args.checkpoint_seconds:
                save_training(training, args.state, digest)
                saved = time.monotonic()
            if worker.rank == 0 and job_end.is_due() and not training.finished:
                save_training(training, args.state, digest)
                job_end.go_on_in_another_job(
                    f"{title}: the time of this job is up; saved at step {training.step} of "
                    f"{training.steps}, and goes on from there when it is started again"
                )
        except Diverged as error:
            advice = "lower learning_rate or set gradient_clip; earlier checkpoints stay"
            raise Diverged(f"{title}: {error}; {advice} in {args.state}") from error
    followed.close()
    return pace


def forget_curves(args: argparse.Namespace, worker: Worker) -> None:
    """Remove those of a former training where this one shows none."""
    if worker.rank == 0 and not args.tensorboard:
        forget(args.model.parent / EVENTS)


def save_training(training: Training, state: Path, digest: str) -> None:
    content = checkpoint.serialise({"digest": digest, **training.state()})
    checkpoint.save(state / "checkpoint.pt", content)


def train(args: argparse.Namespace, worker: Worker) -> None:
    """Train and, on rank 0, write model, metrics and speed once, at the end.

    Weights that were trained elsewhere are validated alone.
    """
    inputs = taken(args.training)
    run, document = read_run(args.training)
    spec = parse(TrainingSpec, document.get("training"), str(args.training))
    verify_files(spec)
    inputs |= taken(*map(Path, spec.files))
    set_arithmetic(spec.precision, spec.deterministic)
    manifest = read_manifest(args.data / spec.dataset)
    inputs[manifest.folder / "manifest.json"] = manifest.sha256
    grey = load(manifest, "train.npy")
    if worker.rank == 0 and is_worth_compiling(spec, total_steps(spec, len(grey)), worker.device):
        print(f"{run} seed {args.seed}: compiling the training step, 10 to 30 s", flush=True)
    training = begin(manifest, grey, spec, args.seed, worker, allreduce(worker))
    started_at_step, pace = 0, Pace()
    if spec.weights:
        forget_curves(args, worker)
        training.end_epoch()
    else:
        digest = state_digest(document["training"], args.seed, manifest.sha256)
        args.state = kept_states.place(args.state, digest)
        restore(training, args, digest, worker)
        forget_curves(args, worker)  # now that no other job works on them
        started_at_step = training.step
        pace = run_to_the_end(training, f"{run} seed {args.seed}", args, digest, worker)
        if worker.rank == 0:
            save_training(training, args.state, digest)
    more = {
        "steps": training.step,
        "started_at_step": started_at_step,
        "over_time": pace.points,
    }
    speed = record_of_speed(worker, run, args.seed, pace.images, pace.seconds, **more)
    if worker.rank == 0:
        about = {"run": run, "specification": document["training"], "seed": args.seed}
        outputs = outputs_of(training, manifest, args, about)
        write_outputs(outputs, inputs, unrecorded={args.speed: speed_file(speed)})


def outputs_of(
    training: Training, manifest: Manifest, args: argparse.Namespace, about: dict[str, Any]
) -> dict[Path, bytes]:
    """The files of model and metrics.

    Args:
        about: what model.json says of the run.
    """
    about |= {"epoch": training.kept_epoch, "validation": training.kept_validation}
    kept = training.kept_parameters()
    files = model_files(args.model, training.vae, kept, manifest, **about)
    return {**files, args.metrics: training.metrics_csv().encode()}
