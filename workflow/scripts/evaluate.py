"""Measure a trained VAE on the test split, data-parallel over the ranks of the launcher.

    workflow/scripts/launch.sh --nodes 1 --tasks-per-node 2 --threads-per-rank 1 --mpi mpirun \
        --venv results/environment/venv -- workflow/scripts/evaluate.py \
        --evaluation results/runs/RUN/evaluation.json --model results/runs/RUN/seed1/model.pt \
        --data results/data --seed 1 --output-dir results/runs/RUN/seed1 --speed speed.json
"""

import argparse
import csv
import io
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import horovod.torch as hvd
import numpy as np
import torch
from progress import Progress
from user_errors import in_one_line
from vae import enumeration
from vae.arithmetic import set_arithmetic
from vae.baselines import Baselines, baselines
from vae.categorical import Uniform
from vae.checkpoint import load_model, write_bytes
from vae.data import DataError, Manifest, as_observed, load, load_split, read_manifest
from vae.estimate import chunks, estimate_elbo, estimate_log_likelihood, image_noise
from vae.exact_linear import is_linear_gaussian, linear_gaussian
from vae.networks import VAE
from vae.noise import Purpose, normals, words
from vae.spec import EvaluationSpec, TrainingSpec, parse, read_run
from vae.summary import (
    ImpossibleResult,
    PerImage,
    active_units,
    check,
    check_scale,
    precision_effects,
    summarise,
)
from worker import Worker, record_speed, start


def load_vae(path: Path, data: Path) -> tuple[VAE, TrainingSpec, Manifest]:
    """Rebuild the model from its file alone, and find the data that it was trained on."""
    document = load_model(path)
    spec = parse(TrainingSpec, document["training"], str(path))
    manifest = read_manifest(data / spec.dataset)
    if document["data_sha256"] != manifest.sha256:
        raise DataError(f"{path}: was trained on other data than the manifest's; train it again")
    vae = VAE(spec, manifest.shape)
    vae.load_state_dict(document["model"])
    return vae, spec, manifest


def in_float32(vae: VAE, spec: TrainingSpec) -> tuple[VAE, TrainingSpec]:
    """The same model in float32 arithmetic."""
    reference = replace(spec, precision="float32")
    copy = VAE(reference, vae.shape).to(vae.device)
    copy.load_state_dict(vae.state_dict())
    return copy, reference


def observed(vae: VAE, images: np.ndarray) -> torch.Tensor:
    """Stored images as the model's likelihood sees them, on its device."""
    stored = torch.from_numpy(images).to(vae.device)
    return as_observed(stored, vae.likelihood.observes, vae.shape.levels, vae.dtype)


@torch.no_grad()
def evaluate_images(
    vae: VAE,
    spec: EvaluationSpec,
    seed: int,
    images: np.ndarray,
    ids: list[int],
    progress: Progress,
) -> dict[str, np.ndarray]:
    """Estimate everything for the images `ids` of a rank.

    Returns:
        The fields of PerImage, for these images in this order; nothing where there are none.
    """
    parts: dict[str, list[np.ndarray]] = {}
    for first, count in chunks(len(ids), spec.chunk_images):
        chosen = ids[first : first + count]
        for name, values in evaluate_chunk(vae, spec, seed, images[chosen], chosen).items():
            parts.setdefault(name, []).append(values.double().cpu().numpy())
        progress.advance(count)
    return {name: np.concatenate(values) for name, values in parts.items()}


def evaluate_chunk(
    vae: VAE, spec: EvaluationSpec, seed: int, images: np.ndarray, ids: list[int]
) -> dict[str, torch.Tensor]:
    """The fields of PerImage for one chunk of images."""
    x = observed(vae, images)
    posterior = vae.encode(x)
    elbo_noise = image_noise(vae, seed, Purpose.ELBO, ids)
    elbo = estimate_elbo(vae, x, posterior, elbo_noise, spec.elbo_samples, spec.chunk_samples)
    weight_noise = image_noise(vae, seed, Purpose.IMPORTANCE, ids)
    weights = estimate_log_likelihood(
        vae, x, posterior, weight_noise, spec.importance_samples, spec.chunk_samples
    )
    return {
        "rate": elbo.rate,
        "distortion": elbo.distortion,
        "elbo_monte_carlo_error": elbo.monte_carlo_error,
        **elbo.errors_of_parts,
        "log_likelihood": weights.log_likelihood,
        "log_likelihood_monte_carlo_error": weights.monte_carlo_error,
        "ess": weights.ess,
        "largest_weight": weights.largest_weight,
        "pareto_k": weights.pareto_k,
        "untrusted": weights.untrusted,
        "kl": vae.kl_per_dimension(posterior),
        "posterior_mean": posterior.mean,
    }


def gather(mine: dict[str, np.ndarray], ids: list[int], images: int) -> PerImage:
    """All ranks' results in the order of the test split, each image exactly once."""
    # Horovod: shares may differ in size, so objects, not tensors, are gathered.
    shares = [share for share in hvd.allgather_object((ids, mine)) if share[0]]
    order = np.concatenate([np.array(share_ids, dtype=int) for share_ids, _ in shares])
    if not np.array_equal(np.sort(order), np.arange(images)):
        raise AssertionError(f"{len(order)} results for {images} test images, or one counted twice")
    position = np.argsort(order)
    return PerImage(
        **{
            name: np.concatenate([share[name] for _, share in shares])[position]
            for name in shares[0][1]
        }
    )


@torch.no_grad()
def pictures(
    vae: VAE, spec: EvaluationSpec, seed: int, grey: np.ndarray, images: np.ndarray
) -> dict[str, np.ndarray]:
    """Originals, the decoder's means at the posterior means, and at draws from the prior."""
    shown = images[: spec.figure_images]
    posterior = vae.encode(observed(vae, shown))
    raw = words(seed, Purpose.SAMPLES, [(0, 0)], spec.figure_images, vae.latent_dim, vae.device)
    prior = vae.prior.sample(normals(raw[0], vae.dtype))
    reconstruction = vae.likelihood.mean(vae.decode(posterior.mean))
    sample = vae.likelihood.mean(vae.decode(prior))
    return {
        "grey": grey[: spec.figure_images],
        **({"binary": shown} if vae.likelihood.observes == "binary" else {}),
        "reconstruction": reconstruction.float().cpu().numpy(),
        "sample": sample.float().cpu().numpy(),
    }


def table(header: str, rows: Iterable[Iterable[Any]]) -> bytes:
    """CSV of floats with every digit, empty cells for None."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(header.split(","))
    writer.writerows(rows)
    return buffer.getvalue().encode()


def write_tables(
    folder: Path,
    images: PerImage,
    base: Baselines,
    vae: VAE,
    limit: float,
    reference: PerImage | None,
) -> None:
    """Check the results, then write them; an impossible one raises before anything is written.

    Args:
        reference: the same in float32, where `images` were measured in another precision.
    """
    checks = check(images, base, limit) + check_scale(vae.likelihood)
    quantities = summarise(images, base, vae.shape.pixels, vae.likelihood.discrete, limit)
    if reference is not None:
        quantities += precision_effects(images, reference)
    columns = {
        "elbo_nats": images.elbo,
        "elbo_monte_carlo_error_nats": images.elbo_monte_carlo_error,
        "rate_nats": images.rate,
        "distortion_nats": images.distortion,
        "log_likelihood_nats": images.log_likelihood,
        "log_likelihood_monte_carlo_error_nats": images.log_likelihood_monte_carlo_error,
        "ess": images.ess,
        "largest_weight": images.largest_weight,
        "pareto_k": images.pareto_k,
        "untrusted": images.untrusted,
        "exact_log_likelihood_nats": images.exact_log_likelihood,
        "noise_floor_nats": base.noise_floor,
        "mean_image_nats": base.mean_image,
    }
    present = {name: column for name, column in columns.items() if column is not None}
    values = np.stack(list(present.values()), axis=1).tolist()
    per_image = [[image, *row] for image, row in enumerate(values)]
    write_bytes(folder / "per_image.csv", table("image," + ",".join(present), per_image))
    write_bytes(folder / "checks.csv", table("check,status,detail", checks))
    write_bytes(folder / "units.csv", table(*units(images, limit)))
    summary = [
        [q.name, q.unit, q.value, q.data_error, q.monte_carlo_error, len(per_image)]
        for q in quantities
    ]
    header = "quantity,unit,value,data_error,monte_carlo_error,images"
    write_bytes(folder / "summary.csv", table(header, summary))


def units(images: PerImage, limit: float) -> tuple[str, list[list[Any]]]:
    """Header and rows of units.csv."""
    rates = [None if np.isnan(rate) else rate for rate in images.kl.mean(0).tolist()]
    variances = images.posterior_mean.var(0, ddof=1).tolist()
    active = active_units(images.posterior_mean, limit).astype(int).tolist()
    rows = [[unit, *row] for unit, row in enumerate(zip(rates, variances, active, strict=True))]
    return "unit,rate_nats,posterior_mean_variance,active", rows


def evaluate(args: argparse.Namespace, worker: Worker) -> None:
    run, document = read_run(args.evaluation)
    spec = parse(EvaluationSpec, document.get("evaluation"), str(args.evaluation))
    vae, training, manifest = load_vae(args.model, args.data)
    vae.to(worker.device)
    tested = load_split(manifest, "test", vae.likelihood.observes)
    vae.likelihood.require_support(observed(vae, tested))
    began = time.monotonic()
    seed = noise_seed(spec, args.seed)
    title = f"{run} seed {args.seed}, evaluation"

    def measure(vae: VAE, training: TrainingSpec, title: str) -> PerImage:
        set_arithmetic(training.precision, training.deterministic)
        ids = list(range(worker.rank, len(tested), worker.size))
        progress = Progress(title, len(ids), ranks=worker.size, silent=worker.rank != 0)
        mine = evaluate_images(vae, spec, seed, tested, ids, progress)
        progress.close()
        return gather(mine, ids, len(tested))

    images = measure(vae, training, title)
    seconds = time.monotonic() - began
    reference = None
    if training.precision != "float32":
        reference = measure(*in_float32(vae, training), f"{title} in float32")
    record_speed(args.speed, worker, run, args.seed, len(tested), seconds)
    if worker.rank == 0:
        images = replace(images, exact_log_likelihood=exact_log_likelihood(vae, tested))
        train, grey = load(manifest, "train.npy"), load(manifest, "test.npy")
        base = baselines(vae.likelihood, train, grey, tested, manifest.shape.levels)
        limit = spec.active_unit_threshold
        write_tables(args.output_dir, images, base, vae, limit, reference)
        buffer = io.BytesIO()
        shown = pictures(vae, spec, seed, grey, tested)
        np.savez(buffer, allow_pickle=False, **shown)
        write_bytes(args.output_dir / "images.npz", buffer.getvalue())


@torch.no_grad()
def exact_log_likelihood(vae: VAE, images: np.ndarray) -> np.ndarray | None:
    """Exact log p(x) in nats, shape (N,), of a model that has it; none of rounded products."""
    if vae.precision not in ("float32", "float64"):
        return None
    if isinstance(vae.prior, Uniform):
        pieces = (images[first : first + count] for first, count in chunks(len(images), 100))
        exact = [enumeration.exact_log_likelihood(vae, observed(vae, piece)) for piece in pieces]
        return torch.cat(exact).double().cpu().numpy()
    if not is_linear_gaussian(vae):
        return None
    return linear_gaussian(vae).log_likelihood(observed(vae, images).double().cpu().numpy())


def noise_seed(spec: EvaluationSpec, seed: int) -> int:
    """The seed of all noise. Runs of one seed share it, so that differences are paired."""
    return (spec.evaluation_seed << 32) + seed


def add_inputs(parser: argparse.ArgumentParser) -> None:
    """The flags of what a program measures: a trained model, on the data that it was trained on."""
    parser.add_argument("--evaluation", type=Path, required=True, help="the run's evaluation.json")
    parser.add_argument("--model", type=Path, required=True, help="model.pt that train wrote")
    parser.add_argument("--data", type=Path, required=True, help="folder of the data sets")
    parser.add_argument("--seed", type=int, required=True, help="the training's seed")


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_inputs(parser)
    parser.add_argument("--output-dir", type=Path, required=True, help="folder of the results")
    parser.add_argument("--speed", type=Path, required=True, help="images/s and hosts, as JSON")
    return parser.parse_args()


if __name__ == "__main__":
    arguments = parse_args()
    this = start()
    with in_one_line(this.rank, ImpossibleResult):
        evaluate(arguments, this)
