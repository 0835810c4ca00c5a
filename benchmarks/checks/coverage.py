"""How often the interval of log p(x) holds it, and what other proposals than q would bring.

Linear models of the digits with L latents, in which log p(x) is exact; q = N(shrink m, widen v) of
p(z | x) = N(m, v) is too wide, or too narrow, so that the weights have heavy tails.
"""

import math
import time
from collections.abc import Iterator
from functools import partial

import numpy as np
import torch
from checks.models import linear_vae
from checks.rows import Row, counted, sampled
from torch import Tensor

from elboflow.vae.measure.blocks import block_sizes
from elboflow.vae.measure.bound_curve import extrapolate, halvings
from elboflow.vae.measure.estimate import ImportanceWeights, estimate_log_likelihood, image_noise
from elboflow.vae.measure.proposal import WIDER, DefensiveMixture, turns_of
from elboflow.vae.model.draws import log_joint
from elboflow.vae.model.gaussian import standard_normal_log_prob
from elboflow.vae.model.linear_gaussian import maximum_likelihood
from elboflow.vae.model.networks import VAE
from elboflow.vae.noise import Purpose

# Latents, shrink, widen, K; from 1 / sqrt(K) errors to tails without a variance.
MODELS = [(2, 0.9, 2.0, 200), (10, 0.9, 2.0, 200), (5, 1.0, 0.7, 50), (5, 0.9, 0.5, 200)]
MORE_MODELS = [(10, 0.9, 0.5, 1000), (20, 0.9, 2.0, 1000), (20, 1.0, 0.5, 20), (20, 1.0, 0.5, 1000)]
EXACT = (10, 1.0, 1.0, 50)  # q = p(z | x)
IMAGES = 200


def coverage(images: np.ndarray, repeats: int = 100) -> Iterator[Row]:
    """Cases of MODELS, a minute in all."""
    yield from _rows(images, [*MODELS, EXACT], repeats)


def coverage_long(images: np.ndarray, repeats: int = 200) -> Iterator[Row]:
    """All cases with more repeats; some minutes."""
    yield from _rows(images, [*MODELS, *MORE_MODELS], repeats)


def _rows(
    images: np.ndarray, models: list[tuple[int, float, float, int]], repeats: int
) -> Iterator[Row]:
    x = torch.from_numpy(images[:IMAGES])
    for latent, shrink, widen, samples in models:
        best = maximum_likelihood(images, latent)
        vae, log_p = linear_vae(best, shrink, widen), best.log_likelihood(images[:IMAGES]).mean()
        found, bounds = [], []
        for seed in range(repeats):
            noise = image_noise(vae, seed, Purpose.IMPORTANCE, range(IMAGES))
            weights = estimate_log_likelihood(vae, x, vae.encode(x), noise, samples, chunk=50)
            parts = halvings(weights.log_block_means.numpy(), block_sizes(samples))
            found.append(extrapolate(parts))
            bounds.append(parts[0].mean())
        case = f"L = {latent}, q = N({shrink} m, {widen} v), K = {samples}"
        hits = [one.lower <= log_p <= one.upper for one in found]
        yield counted(f"95 % interval of log p(x), {case}", 0.95, hits, "≥")
        if (shrink, widen) != (1, 1):  # else rounding is all there is
            yield sampled(f"L_K - log p(x), {case}", 0.0, torch.tensor(bounds) - log_p, "≤")


def proposals(images: np.ndarray) -> Iterator[Row]:
    """Print rms error and bias of single images with K = 200, under other proposals than q."""
    x = torch.from_numpy(images[:IMAGES])
    cases = ((2, 0.9, 0.5), (2, 0.9, 2.0), (5, 0.9, 0.5), (5, 0.9, 2.0), (10, 0.9, 0.5))
    for latent, shrink, widen in (*cases, (10, 0.9, 2.0), (20, 0.9, 2.0)):
        best = maximum_likelihood(images, latent)
        vae, log_p = linear_vae(best, shrink, widen), best.log_likelihood(images[:IMAGES])
        scale = 1 + 1 / latent**0.5
        for name, estimate in (
            ("q", partial(_mixture, share=0.0, factor=1.0)),
            ("q and 10 % of the prior", partial(_mixture, share=0.1, factor=0.0)),
            (f"q and 25 % of q times {scale:.2f}", partial(_mixture, share=0.25, factor=scale)),
            ("q, 10 % of q times 3, 10 % of the prior", _defensive),
        ):
            began, off = time.monotonic(), []
            for seed in range(20):
                off.append(estimate(vae, x, seed).numpy() - log_p)
            case = f"L = {latent}, q = N({shrink} m, {widen} v), {name}"
            rms = np.sqrt(np.square(off).mean())
            seconds = (time.monotonic() - began) / 20
            print(f"{case}: bias {-np.mean(off):.4f}, rms {rms:.4f} nats, {seconds:.2f} seconds")
            yield sampled(f"L_200 - log p(x), {case}", 0.0, torch.tensor(np.mean(off, 1)), "≤")


def _defensive(vae: VAE, x: Tensor, seed: int) -> Tensor:
    """log p(x) from 200 samples of the mixture that evaluation uses with few latents."""
    noise = image_noise(vae, seed, Purpose.IMPORTANCE, range(len(x)))
    q = vae.encode(x)
    mixture = DefensiveMixture(vae, q, q.widened(WIDER), turns_of(noise, 200))
    return _weighed(vae, x, *mixture.sample(0, noise(0, 200)))


def _weighed(vae: VAE, x: Tensor, z: Tensor, log_proposal: Tensor) -> Tensor:
    """log p(x), shape (B,), from draws of z, (K, B, L), and their log-density, (K, B)."""
    return ImportanceWeights(log_joint(vae, x, z) - log_proposal).log_likelihood


def _mixture(vae: VAE, x: Tensor, seed: int, share: float, factor: float) -> Tensor:
    """log p(x) from 200 samples, every so many of the prior (factor 0) or of q widened by factor.

    Weights under the mixture (balance heuristic): Veach and Guibas, SIGGRAPH 1995; Hesterberg,
    Technometrics 37 (1995) 185.
    """
    q, epsilon = vae.encode(x), image_noise(vae, seed, Purpose.IMPORTANCE, range(len(x)))(0, 200)
    other = (torch.arange(200) % round(1 / share) == 0) if share else torch.zeros(200).bool()
    z, _ = q.sample(torch.where(other[:, None, None], factor * epsilon, epsilon))
    if not factor:
        z[other] = vae.prior.sample(epsilon[other])
    log_mixture = log_q = q.log_prob(z)
    if share:
        log_other = vae.prior.log_prob(z)
        if factor:
            plain = (z - q.mean) * (-q.log_sd).exp()
            ratio = standard_normal_log_prob(plain / factor) - standard_normal_log_prob(plain)
            log_other = log_q + ratio - vae.latent_dim * math.log(factor)
        log_mixture = torch.logaddexp(log_q + math.log1p(-share), log_other + math.log(share))
    return _weighed(vae, x, z, log_mixture)
