"""For single images: the best q of simple and complicated families, and what each costs.

The latent is a plane, so that log p(x) and every expectation is an integral that a grid gives
to many digits. ELBO and gap are computed on different grids and in different ways, and must agree.
"""

import math
from typing import Any

import numpy as np
import pandas as pd
from numpy.lib.npyio import NpzFile
from scipy.special import softmax

from elboflow.chapter.mixture import (
    FAMILIES,
    LOGIT,
    MEAN,
    Family,
    best_q,
    covariances,
    gaussian,
    log_density,
    rate,
)
from elboflow.chapter.tables import Disagreement
from elboflow.vae.measure.quadrature import (
    Array,
    integral,
    kl,
    log_integral,
    log_prior,
    moments,
    plane,
)

TOLERANCE = 1e-6  # nats, between the gap log p(x) - ELBO and KL(q || p(z|x))
NEGLIGIBLE = 40.0  # nats below the posterior's peak: nothing to search there


def starts(family: Family, log_posterior: Array, axis: Array, simpler: Array) -> list[Array]:
    """Where to search from: the best simpler q, and for a mixture pieces of the posterior too."""
    if family.components == 1:
        return [simpler]
    copies = np.repeat(simpler, family.components, axis=0)
    variances, directions = np.linalg.eigh(covariances(simpler)[0])
    spread = np.linspace(-1, 1, family.components)[:, None]
    copies[:, MEAN] += spread * math.sqrt(variances[1]) * directions[:, 1]
    return [copies, pieces(family, log_posterior, axis)]


def pieces(family: Family, log_posterior: Array, axis: Array) -> Array:
    """A Gaussian for each of the posterior's pieces, cut around its farthest-apart points."""
    z, q = plane(axis), np.exp(log_posterior)
    mean, _ = moments(log_posterior, axis)
    centres = [z.reshape(-1, 2)[log_posterior.argmax()]]
    while len(centres) < family.components:
        distance = np.min([((z - centre) ** 2).sum(-1) for centre in centres], axis=0)
        centres.append(z.reshape(-1, 2)[(q * distance**2).argmax()])
    nearest = np.argmin([((z - centre) ** 2).sum(-1) for centre in centres], axis=0)
    rows = []
    for place in range(family.components):
        mass = integral(q * (nearest == place), axis)
        with np.errstate(divide="ignore"):
            own = np.where(nearest == place, log_posterior - np.log(mass), -800.0)
        mean, covariance = moments(own, axis)
        row = gaussian(mean, covariance + 1e-4 * np.eye(2))
        row[0, LOGIT] = np.log(mass)
        rows.append(row)
    return np.concatenate(rows)


def search(log_joint: Array, axis: Array) -> dict[Family, Array]:
    """The best q of each family for one image, each search beginning with the family before."""
    log_posterior = log_joint - log_integral(log_joint, axis)
    counts = log_posterior > log_posterior.max() - NEGLIGIBLE
    z, step = plane(axis)[counts], axis[1] - axis[0]
    mean, covariance = moments(log_posterior, axis)
    simpler = gaussian(mean, np.eye(2) * np.trace(covariance) / 2)
    found = {}
    for family in FAMILIES:
        tried = [
            best_q(family, log_posterior[counts], z, step, start)
            for start in starts(family, log_posterior, axis, simpler)
        ]
        simpler = min(tried, key=lambda q: kl(log_density(q, plane(axis)), log_posterior, axis))
        found[family] = simpler
    return found


def measure_q(parameters: Array, log_likelihood: Array, axis: Array) -> dict[str, float]:
    """Rate, distortion and ELBO on every other node of the grid; KL(q || p(z|x)) on all of them."""
    coarse, half = axis[::2], log_likelihood[::2, ::2]
    evidence = float(log_integral(half + log_prior(coarse), coarse))
    q = np.exp(log_density(parameters, plane(coarse)))
    distortion = -float(integral(q * half, coarse))
    log_joint = log_likelihood + log_prior(axis)
    log_posterior = log_joint - log_integral(log_joint, axis)
    divergence = float(kl(log_density(parameters, plane(axis)), log_posterior, axis))
    bound = -distortion - rate(parameters, coarse)
    if not abs(evidence - bound - divergence) < TOLERANCE:
        raise Disagreement(f"log p(x) - ELBO is {evidence - bound} and KL(q || p) {divergence}")
    return {
        "rate_nats": rate(parameters, coarse),
        "distortion_nats": distortion,
        "elbo_nats": bound,
        "log_p_nats": evidence,
        "gap_nats": evidence - bound,
        "kl_nats": divergence,
    }


def components(parameters: Array) -> pd.DataFrame:
    """Weight, mean and covariance of each component of q, heaviest first."""
    weights, matrices = softmax(parameters[:, LOGIT]), covariances(parameters)
    rows = pd.DataFrame(
        {
            "weight": weights,
            "mean_1": parameters[:, 1],
            "mean_2": parameters[:, 2],
            "variance_1": matrices[:, 0, 0],
            "covariance": matrices[:, 0, 1],
            "variance_2": matrices[:, 1, 1],
        }
    ).sort_values("weight", ascending=False, ignore_index=True)
    return rows.rename_axis("component").reset_index()


def posterior_tables(grid: NpzFile | dict[str, Any]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """One row per image and family, and one per image, family and component."""
    measured, parts = [], []
    axis = grid["axis"]
    thin = axis[::2]
    for image, log_likelihood in zip(grid["image"], grid["log_likelihood"], strict=True):
        log_joint = log_likelihood[::2, ::2] + log_prior(thin)
        for family, parameters in search(log_joint, thin).items():
            values = measure_q(parameters, log_likelihood, axis)
            measured.append(
                {
                    "image": int(image),
                    "family": family.name,
                    "parameters": family.parameters,
                    **values,
                }
            )
            parts.append(components(parameters).assign(image=int(image), family=family.name))
    columns = ["image", "family", "component"]
    stacked = pd.concat(parts)
    return pd.DataFrame(measured), stacked[columns + [c for c in stacked if c not in columns]]
