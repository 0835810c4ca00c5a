"""A latent of K switches, few enough to be summed out: log p(x) is exact, in training too.

p(z) is K independent Bernoulli variables, p(x|z) independent pixels with logits W z + b. All
2^K states are enumerated (s = states, B = images, D = pixels), and q is a product of K Bernoulli
variables.
"""

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, logit, logsumexp, xlog1py, xlogy

from elboflow.chapter.tables import Disagreement
from elboflow.files.whole import write_result
from elboflow.images.binarise import binarise_split
from elboflow.images.streams import stream
from elboflow.vae.measure.quadrature import Array

SWITCHES, LEVELS = 8, 16
STEPS, SWEEPS = 150, 200
IMAGES = 100  # the first of the test split, as in the other examples
FEWEST = 1e-12  # of a probability that a switch is on, or off
TOLERANCE = 1e-10  # nats, between log p(x) - ELBO and KL(q || p(z|x))


@dataclass(frozen=True)
class Model:
    """Logits of the switches (K,), weights (K, D) and biases (D,)."""

    prior: Array
    weights: Array
    biases: Array

    @property
    def states(self) -> Array:
        """All z, shape (2^K, K); the first switch is the slowest."""
        switches = len(self.prior)
        return (np.arange(2**switches)[:, None] >> np.arange(switches)[::-1] & 1).astype(float)

    def log_joint(self, x: Array) -> Array:
        """log p(x, z) in nats for images (B, D) and all states, shape (B, s)."""
        z = self.states
        logits = z @ self.weights + self.biases
        log_prior = z @ self.prior - np.logaddexp(0, self.prior).sum()
        return x @ logits.T - np.logaddexp(0, logits).sum(1) + log_prior


def model_from(flat: Array, switches: int) -> Model:
    pixels = flat.size // (switches + 1)
    prior, weights, biases = np.split(flat, [switches, switches + switches * pixels])
    return Model(prior, weights.reshape(switches, pixels), biases)


def write_model(model: Model, path: str | Path) -> None:
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **vars(model))
    write_result(path, buffer.getvalue())


def read_model(path: str | Path) -> Model:
    with np.load(path, allow_pickle=False) as arrays:
        return Model(**arrays)


def fit(x: Array, switches: int = SWITCHES, steps: int = STEPS) -> Model:
    """Maximum likelihood by its exact gradient, E_p(z|x)[d log p(x, z)]: no bound is needed."""

    def loss(flat: Array) -> tuple[float, Array]:
        model = model_from(flat, switches)
        joint, z = model.log_joint(x), model.states
        evidence = logsumexp(joint, axis=1, keepdims=True)
        posterior = np.exp(joint - evidence)  # (B, s)
        mass = posterior.sum(0)
        logits = posterior.T @ x - mass[:, None] * expit(z @ model.weights + model.biases)
        prior = mass @ (z - expit(model.prior))
        slopes = np.concatenate([prior, (z.T @ logits).ravel(), logits.sum(0)])
        return -float(evidence.mean()), -slopes / len(x)

    biases = logit(np.clip(x.mean(0), 0.001, 0.999))
    words = stream(0, "switches").random_raw(switches * x.shape[1])
    weights = (words >> np.uint64(11)) * 2.0**-53 - 0.5  # to break the symmetry of the switches
    start = np.concatenate([np.zeros(switches), weights, biases])
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": steps})
    return model_from(found.x, switches)


def log_mean_field(on: Array, states: Array) -> Array:
    """log q(z) of independent switches that are on with probabilities (B, K), shape (B, s)."""
    return xlogy(states, on[:, None]).sum(-1) + xlog1py(1 - states, -on[:, None]).sum(-1)


def mean_field(log_joint: Array, states: Array) -> Array:
    """Probabilities (B, K) of the better of two product q: the ascent may end in a local optimum.

    One ascent starts from the posterior's marginals, one from its likeliest state.
    """
    posterior = np.exp(log_joint - logsumexp(log_joint, axis=1, keepdims=True))
    likeliest = states[posterior.argmax(1)]
    found = [ascend(start, log_joint, states) for start in (posterior @ states, likeliest)]
    bounds = [elbo_by_sum(log_joint, log_mean_field(on, states)) for on in found]
    return np.where((bounds[0] >= bounds[1])[:, None], found[0], found[1])


def ascend(start: Array, log_joint: Array, states: Array) -> Array:
    """Coordinate ascent in q, one switch after the other, with exact sums; (B, K) to (B, K).

    Each update sets a switch's log-odds to E[log p(x, z_k = 1) - log p(x, z_k = 0)] under the
    others (Bishop, Pattern Recognition and Machine Learning, equation 10.9), and none lowers the
    ELBO.
    """
    on = np.clip(start, FEWEST, 1 - FEWEST)
    for _ in range(SWEEPS):
        before = on.copy()
        for k in range(states.shape[1]):
            others = np.delete(states, k, axis=1)
            weights = np.exp(log_mean_field(np.delete(on, k, axis=1), others))
            signed = weights * (2 * states[:, k] - 1) * log_joint
            on[:, k] = np.clip(expit(signed.sum(1)), FEWEST, 1 - FEWEST)
        if np.abs(on - before).max() < FEWEST:
            break
    return on


def elbo_by_sum(log_joint: Array, log_q: Array) -> Array:
    """E_q[log p(x, z) - log q(z)] by summation, shape (B,)."""
    return (np.exp(log_q) * (log_joint - log_q)).sum(1)


def example(
    train: NDArray[np.uint8], test: NDArray[np.uint8]
) -> tuple[Model, pd.DataFrame, pd.DataFrame]:
    """A model of the digits, its gaps on test images, and the states of the one with the largest.

    Args:
        train, test: grey levels and binary images, shape (N, D).
    """
    model = fit(binarise_split(train, LEVELS, 0, "train").astype(float))
    joint, states = model.log_joint(test[:IMAGES].astype(float)), model.states
    log_q = log_mean_field(mean_field(joint, states), states)
    table = gap_table(joint, log_q)
    worst = worst_image(table)
    return model, table, states_of(worst, joint[worst], log_q[worst], states)


def worst_image(table: pd.DataFrame) -> int:
    """The image of the largest gap."""
    return int(table["gap_nats"].to_numpy().argmax())


def gap_table(log_joint: Array, log_q: Array) -> pd.DataFrame:
    """log p(x), ELBO, gap and KL(q || p(z|x)) in nats, one row per image."""
    evidence = logsumexp(log_joint, axis=1)
    q = np.exp(log_q)
    bound = elbo_by_sum(log_joint, log_q)
    divergence = (q * (log_q - (log_joint - evidence[:, None]))).sum(1)
    if not np.abs(evidence - bound - divergence).max() < TOLERANCE:
        raise Disagreement("log p(x) - ELBO is not KL(q || p(z|x)) for the discrete latent")
    values = {"log_p_nats": evidence, "elbo_nats": bound, "gap_nats": evidence - bound}
    return pd.DataFrame({**values, "kl_nats": divergence}).rename_axis("image").reset_index()


def states_of(image: int, log_joint: Array, log_q: Array, states: Array) -> pd.DataFrame:
    """Exact posterior and mean-field q of one image over all states, the likeliest first."""
    names = ["".join(str(int(bit)) for bit in state) for state in states]
    posterior = np.exp(log_joint - logsumexp(log_joint))
    table = {"image": image, "state": names, "posterior": posterior, "mean_field": np.exp(log_q)}
    return pd.DataFrame(table).sort_values(
        ["posterior", "state"], ascending=[False, True], kind="stable", ignore_index=True
    )
