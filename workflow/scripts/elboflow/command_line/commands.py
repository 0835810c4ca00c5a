"""What each command does with its arguments; returns a line for the user."""

import argparse
from collections.abc import Callable
from functools import partial
from typing import TypeVar

import numpy as np

import elboflow
from elboflow.command_line.input import read_images
from elboflow.command_line.output import Array, write_images, write_table
from elboflow.command_line.progress import Progress
from elboflow.trained.log_likelihood import LogLikelihood
from elboflow.trained.model import TrainedModel
from elboflow.vae.choices import DATA

Result = TypeVar("Result")


def score(given: argparse.Namespace) -> str:
    """log p(x) of each image, and its mean in words."""
    model, images = _model_and_images(given)
    scoring = partial(model.log_prob, images, given.samples, given.seed)
    found = _told("score", len(images), scoring)
    columns = {
        "image": np.arange(len(images)),
        "log_likelihood_nats": np.asarray(found.nats),
        "log_likelihood_monte_carlo_error_nats": np.asarray(found.monte_carlo_error),
        "trusted": np.asarray(found.trusted).astype(int),
    }
    write_table(given.output, columns)
    return f"{_in_words(model, found)}; {given.output}"


def _in_words(model: TrainedModel, found: LogLikelihood) -> str:
    """The mean log p(x) of the images with its errors."""
    nats, count = np.asarray(found.nats), len(found.nats)
    said = [f"{count} images: log p(x) {nats.mean():.2f} nats on average"]
    if count > 1:
        said.append(f"data error {nats.std(ddof=1) / count**0.5:.2g}")
    if found.exact:
        said.append("exact")
    else:
        error = np.sqrt(np.square(found.monte_carlo_error).sum()) / count
        untrusted = 1 - np.mean(found.trusted)
        said += [f"Monte Carlo error {error:.2g}", f"{untrusted:.1%} of images not to be trusted"]
    if DATA[model.observes].discrete:
        bits = -nats.mean() / np.log(2) / np.prod(model.image_shape)
        said.append(f"{bits:.4f} bits/dim")
    return ", ".join(said)


def encode(given: argparse.Namespace) -> str:
    """The means of q(z | x)."""
    model, images = _model_and_images(given)
    if not model.latent_dim:
        raise ValueError(f"{given.model}: a model without latents encodes nothing")
    z = np.asarray(_told("encode", len(images), partial(model.encode, images)))
    if given.output.suffix.lower() == ".npz":
        write_table(given.output, {"z": z})
    else:
        numbers = {f"z{place}": column for place, column in enumerate(z.T)}
        write_table(given.output, {"image": np.arange(len(z)), **numbers})
    return f"{len(z)} images as {z.shape[1]} numbers each; {given.output}"


def reconstruct(given: argparse.Namespace) -> str:
    """The mean images of the means of q(z | x)."""
    model, images = _model_and_images(given)
    z = _told("encode", len(images), partial(model.encode, images))
    # Colours last, however they are given.
    means = np.asarray(_told("decode", len(images), partial(model.decode, z)))
    write_images(given.output, means, top=1)
    return f"{len(means)} images; {given.output}"


def sample(given: argparse.Namespace) -> str:
    """Images that the model makes."""
    model = elboflow.load(given.model, given.device)
    drawing = partial(model.sample, given.count, given.seed, given.mean)
    images = _told("sample", given.count, drawing)
    of_levels = model.observes == "levels" and not given.mean
    write_images(given.output, images, top=model.levels if of_levels else 1)
    return f"{len(images)} images; {given.output}"


def _told(title: str, total: int, work: Callable[..., Result]) -> Result:
    """What work on so many images comes to, which tells how far it is."""
    progress = Progress(title, total)
    try:
        return work(progress=progress)
    finally:
        progress.close()


def _model_and_images(given: argparse.Namespace) -> tuple[TrainedModel, Array]:
    model = elboflow.load(given.model, given.device)
    return model, read_images(given.images, given.part)
