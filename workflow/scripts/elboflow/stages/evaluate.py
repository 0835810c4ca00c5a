"""Measure a trained VAE on the test split, data-parallel over the ranks of the launcher."""

import argparse
import io
import time
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch

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
from elboflow.stages.evaluation_tables import tables
from elboflow.stages.trained_model import load_vae, noise_seed, observed
from elboflow.trained.model_file import files_of
from elboflow.vae.arithmetic import set_arithmetic
from elboflow.vae.data import load, load_split
from elboflow.vae.measure.baselines import baselines
from elboflow.vae.measure.exact import exact_log_likelihood
from elboflow.vae.measure.overfitting import FIRST_NUMBER, other_splits, overfitting
from elboflow.vae.measure.per_image import estimates
from elboflow.vae.measure.rate_parts import rate_parts
from elboflow.vae.measure.second_binarisation import binarisation_sd
from elboflow.vae.measure.summary import PerImage
from elboflow.vae.measure.two_sample import told_apart
from elboflow.vae.measure.walks import walks
from elboflow.vae.model.make import make_model
from elboflow.vae.model.model import Model
from elboflow.vae.model.simulation import FIRST_IMAGE, simulate
from elboflow.vae.noise import Purpose, normals, words
from elboflow.vae.spec import EvaluationSpec, TrainingSpec, parse, read_run


def in_float32(vae: Model, spec: TrainingSpec) -> tuple[Model, TrainingSpec]:
    """The same model in float32 arithmetic."""
    reference = replace(spec, precision="float32")
    copy = make_model(reference, vae.shape).to(vae.device).eval()
    copy.load_state_dict(vae.state_dict())
    return copy, reference


# Of the specification, what the values of an image depend on.
STATE_KEYS = (
    *("elbo_samples", "importance_samples", "chunk_images", "chunk_samples"),
    "evaluation_seed",
)
MUST_BE_FINITE = ("rate", "distortion", "log_likelihood", "ess")


@torch.no_grad()
def measure(
    vae: Model,
    training: TrainingSpec,
    title: str,
    *,
    spec: EvaluationSpec,
    seed: int,
    images: torch.Tensor,
    state: Path,
    told: Path,
    worker: Worker,
    origin: str = "test",
) -> tuple[PerImage, int]:
    """What is estimated of all images, on every rank, and how many images this job did for it.

    Args:
        images: as the likelihood observes them, shape (N, D).
        told: the folder in which progress is told.
        origin: their split.
    """
    set_arithmetic(training.precision, training.deterministic)
    images = images.to(vae.dtype)

    def work(part: Part, _: Tick) -> ImageValues:
        numbers = [FIRST_NUMBER[origin] + image for image in part.images]
        x = images[part.first : part.first + part.count]
        columns = as_columns(estimates(vae, spec, seed, numbers, x))
        return require_finite(part, columns, MUST_BE_FINITE)

    wanted = in_parts(f"{origin}_{training.precision}", len(images), spec.chunk_images)
    found, done = work_through(wanted, work, state, told, title, worker)
    columns = {
        name: np.concatenate([np.array(part[name], dtype=float) for part in found])
        for name in found[0]
    }
    return PerImage(**columns, samples=spec.importance_samples), done


@torch.no_grad()
def pictures(
    vae: Model, spec: EvaluationSpec, seed: int, grey: np.ndarray, images: np.ndarray
) -> dict[str, np.ndarray]:
    """Originals, the decoder's means at the posterior means, and at draws from the prior.

    Of a model without latents its draws, if it has any, and no reconstructions.
    """
    shown = images[: spec.figure_images]
    found = {"grey": grey[: spec.figure_images]}
    if vae.likelihood.observes == "binary":
        found["binary"] = shown
    raw = words(seed, Purpose.SAMPLES, [(0, 0)], spec.figure_images, vae.latent_dim, vae.device)
    prior = vae.prior.sample(normals(raw[0], vae.dtype))
    if vae.has_latents:
        posterior = vae.encode(observed(vae, shown))
        found["reconstruction"] = _means(vae, posterior.mean)
        found["sample"] = _means(vae, prior)
    elif vae.draws_images:
        _, x = simulate(vae, seed, range(FIRST_IMAGE, FIRST_IMAGE + spec.figure_images))
        found["sample"] = vae.likelihood.to_unit(x).float().cpu().numpy()
    return found


def archive(arrays: dict[str, np.ndarray]) -> bytes:
    """The bytes of an .npz file."""
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def _means(vae: Model, z: torch.Tensor) -> np.ndarray:
    return vae.likelihood.mean(vae.decode(z)).float().cpu().numpy()


def evaluate(args: argparse.Namespace, worker: Worker) -> None:
    """Measure all images, and let rank 0 write what came out, once, at the end."""
    inputs = taken(args.evaluation, *files_of(args.model))
    run, document = read_run(args.evaluation)
    spec = parse(EvaluationSpec, document.get("evaluation"), str(args.evaluation))
    vae, training, manifest = load_vae(args.model, args.data)
    inputs[manifest.folder / "manifest.json"] = manifest.sha256
    vae.to(worker.device)
    tested = load_split(manifest, "test", vae.likelihood.observes)
    x = observed(vae, tested)
    vae.likelihood.require_support(x)
    began, seed = time.monotonic(), noise_seed(spec, args.seed)
    state = open_state(args, {key: asdict(spec)[key] for key in STATE_KEYS}, manifest, worker)
    measured = partial(
        measure, spec=spec, seed=seed, state=state, told=args.progress, worker=worker
    )
    title = f"{run} seed {args.seed}, evaluation"
    found, done = measured(vae, training, title, images=x)
    seconds = time.monotonic() - began
    others = {
        origin: measured(vae, training, f"{title} of {origin}", images=own, origin=origin)[0]
        for origin, own in other_splits(vae, seed, manifest).items()
    }
    reference = None
    if training.precision != "float32":
        reference, _ = measured(*in_float32(vae, training), f"{title} in float32", images=x)
        set_arithmetic(training.precision, training.deterministic)
    speed = record_of_speed(worker, run, args.seed, done, seconds)
    if worker.rank == 0:
        found = replace(found, exact_log_likelihood=exact_log_likelihood(vae, x))
        train, grey = load(manifest, "train.npy"), load(manifest, "test.npy")
        more = told_apart(vae, seed, x, train) + overfitting(found, others)
        more += binarisation_sd(vae, seed, grey)
        base = baselines(vae.likelihood, train, grey, tested, manifest.shape.levels)
        limit = spec.active_unit_threshold
        parts = rate_parts(vae, seed, x)
        files = tables(found, base, vae, limit, more, parts, reference)
        files["images.npz"] = archive(pictures(vae, spec, seed, grey, tested))
        files["walks.npz"] = archive(walks(vae, found.posterior_mean, grey))
        outputs = {args.output_dir / name: content for name, content in files.items()}
        write_outputs(outputs, inputs, unrecorded={args.speed: speed_file(speed)})
