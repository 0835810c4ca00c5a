"""Train a VAE whose latent is a plane, and tabulate what quadrature needs of it."""

import argparse
import io
import math
from typing import Any

import numpy as np
import torch

from elboflow.files.stage_outputs import taken, write_outputs
from elboflow.vae.arithmetic import set_arithmetic
from elboflow.vae.data import Manifest, load, mean_image, read_manifest
from elboflow.vae.measure.quadrature import (
    Array,
    integral,
    log_integral,
    log_prior,
    nodes,
    non_gaussianity,
    plane,
)
from elboflow.vae.model.networks import VAE
from elboflow.vae.spec import TrainingSpec, parse, read_run
from elboflow.vae.training.training import Training

STEP, FINE_STEP = 0.05, 0.025  # of the grids for all images, and for those that are shown
IMAGES, CHUNK = 100, 10  # the first test images, and how many at once
SHOWN = (0.5, 0.95, 1.0)  # quantiles of the non-Gaussianity
MEASURED = ("log_p_nats", "coarse_log_p_nats", "encoder_elbo_nats", "non_gaussianity_nats")


def train_vae(spec: TrainingSpec, manifest: Manifest, seed: int) -> VAE:
    """A trained VAE; the loop is that of train.py on a single rank."""
    set_arithmetic(spec.precision, spec.deterministic)
    grey, levels = load(manifest, "train.npy"), manifest.shape.levels
    vae = VAE(spec, manifest.shape)
    vae.initialise(seed, mean_image(grey, levels))
    validation = load(manifest, "validation_binary.npy")
    training = Training(vae, spec, seed, grey, levels, validation, 0, 1, lambda _: None)
    while not training.finished:
        if training.advance():
            training.end_epoch()
    vae.load_state_dict(training.kept_parameters())
    return vae


@torch.no_grad()
def decoded(vae: VAE, axis: Array) -> tuple[torch.Tensor, torch.Tensor]:
    """At all nodes: logits of pixels (n * n, D), and log p(0 | z) of a black image (n * n,)."""
    logits = vae.decode(torch.from_numpy(plane(axis)).flatten(0, 1))
    return logits, vae.likelihood.log_prob(logits, logits.new_zeros(logits.shape[1]))


def log_likelihood(at_nodes: tuple[torch.Tensor, torch.Tensor], x: np.ndarray) -> Array:
    """log p(x | z) at decoded nodes, for binary images (B, D): shape (B, n, n).

    Of Bernoulli pixels with logits l it is log p(0 | z) + x l: all images in one product.
    """
    logits, log_p_black = at_nodes
    values = torch.from_numpy(x).to(logits.dtype) @ logits.T + log_p_black
    return values.view(len(x), math.isqrt(len(logits)), -1).numpy()


@torch.no_grad()
def encoder_elbo(vae: VAE, x: np.ndarray, log_joint: Array, axis: Array) -> Array:
    """The ELBO of the encoder's q by quadrature, shape (B,)."""
    q = vae.encode(torch.from_numpy(x).to(vae.dtype))
    z = torch.from_numpy(plane(axis)).view(-1, 1, 2)
    log_q = q.log_prob(z).T.reshape(log_joint.shape).numpy()
    return integral(np.exp(log_q) * (log_joint - log_q), axis)


def evidence_of(vae: VAE, x: np.ndarray) -> Array:
    """The values of MEASURED for binary images (B, D): shape (B, 4)."""
    axis, coarse = nodes(STEP), nodes(2 * STEP)
    at_nodes, rows = decoded(vae, axis), []
    for first in range(0, len(x), CHUNK):
        chunk = x[first : first + CHUNK]
        joint = log_likelihood(at_nodes, chunk) + log_prior(axis)
        evidence = log_integral(joint, axis)
        halved = log_integral(joint[:, ::2, ::2], coarse)
        bound = encoder_elbo(vae, chunk, joint, axis)
        shape = non_gaussianity(joint - evidence[:, None, None], axis)
        rows.append(np.stack([evidence, halved, bound, shape], -1))
    return np.concatenate(rows)


def shown_images(non_gaussian: Array) -> list[int]:
    """The images at the quantiles SHOWN: from an ordinary posterior to the least Gaussian."""
    order = np.argsort(non_gaussian, kind="stable")
    return [int(order[round(quantile * (len(order) - 1))]) for quantile in SHOWN]


def evidence_csv(measured: Array) -> bytes:
    lines = [",".join(("image", *MEASURED))]
    for image, row in enumerate(measured):
        lines.append(",".join([str(image), *(f"{value:.9f}" for value in row)]))
    return ("\n".join(lines) + "\n").encode()


def grid_npz(vae: VAE, x: np.ndarray, ids: list[int]) -> bytes:
    """What the figures need of the images shown: log p(x | z) on the fine grid."""
    arrays: dict[str, Any] = {
        "image": np.array(ids),
        "binary": x[ids],
        "axis": nodes(FINE_STEP),
        "log_likelihood": log_likelihood(decoded(vae, nodes(FINE_STEP)), x[ids]),
    }
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def main(args: argparse.Namespace) -> None:
    torch.set_num_threads(1)
    inputs = taken(args.training)
    _, document = read_run(args.training)
    spec = parse(TrainingSpec, document.get("training"), str(args.training))
    manifest = read_manifest(args.data / spec.dataset)
    inputs[manifest.folder / "manifest.json"] = manifest.sha256
    vae = train_vae(spec, manifest, args.seed)
    x = load(manifest, "test_binary.npy")[:IMAGES]
    measured = evidence_of(vae, x)
    grid = grid_npz(vae, x, shown_images(measured[:, 3]))
    write_outputs({args.evidence: evidence_csv(measured), args.grid: grid}, inputs)
