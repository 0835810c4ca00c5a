"""Estimators of a discrete latent's gradient from two draws, beside the exact sum over all states.

For the switches of chapter_discrete (K of them, s = states), one test image, and q at the prior,
where an encoder begins. The gradient is that of E_q[log p(x|z)] with respect to the logits of q,
shape (K,), in nats; the KL's is in closed form and needs no draws.
"""

from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from elboflow.chapter.discrete import Model, log_mean_field
from elboflow.chapter.tables import Disagreement
from elboflow.images.streams import stream
from elboflow.vae.measure.quadrature import Array

TEMPERATURES = (1.0, 0.5, 0.1)
RELAXED_DRAWS = 100_000  # for mean and sd of the one estimator that has no exact ones
TOLERANCE = 1e-10  # nats, between the exact gradient and the mean of an unbiased estimator


def gradient_table(model: Model, x: Array) -> pd.DataFrame:
    """Each estimator's distance of the mean from the exact gradient, and sd, for one image (D,)."""
    states, q_logits = model.states, model.prior
    q = np.exp(log_mean_field(expit(q_logits)[None], states))[0]
    logits = states @ model.weights + model.biases
    log_likelihood = logits @ x - np.logaddexp(0, logits).sum(1)
    scores = states - expit(q_logits)  # d log q(z) / d logits of q, shape (s, K)
    exact = (q * log_likelihood) @ scores
    rows = [_row("exact", exact, exact, 0.0)]
    for name, estimate in (("score_function", score_estimator), ("leave_one_out", leave_one_out)):
        mean, variance = estimate(q, log_likelihood, scores)
        if not np.abs(mean - exact).max() < TOLERANCE:
            raise Disagreement(f"the mean of the estimator {name} is not the exact gradient")
        rows.append(_row(name, mean, exact, variance))
    for temperature in TEMPERATURES:
        draws = relaxed(model, x, q_logits, temperature)
        variance = draws.var(0).sum()
        row = _row("gumbel_softmax", draws.mean(0), exact, variance / 2)
        error = (variance / RELAXED_DRAWS) ** 0.5
        rows.append({**row, "bias_error_nats": error, "temperature": temperature})
    return pd.DataFrame(rows)


def _row(estimator: str, mean: Array, exact: Array, variance: float) -> dict[str, Any]:
    return {
        "estimator": estimator,
        "norm_nats": np.linalg.norm(exact),
        "bias_nats": np.linalg.norm(mean - exact),
        "bias_error_nats": 0.0,
        "sd_nats": variance**0.5,
    }


def score_estimator(q: Array, log_likelihood: Array, scores: Array) -> tuple[Array, float]:
    """log p(x|z) times the score of q, over two draws: mean (K,), and variances summed over K."""
    single = log_likelihood[:, None] * scores
    mean = q @ single
    return mean, float((q @ (single - mean) ** 2).sum()) / 2


def leave_one_out(q: Array, log_likelihood: Array, scores: Array) -> tuple[Array, float]:
    """The same where each draw has the other as its baseline, by a sum over all pairs of states.

    (f_1 - f_2) (d log q(z_1) - d log q(z_2)) / 2 with f = log p(x|z): Kool et al., Buy 4 REINFORCE
    samples, get a baseline for free, ICLR 2019 workshop.
    """
    difference = log_likelihood[:, None] - log_likelihood
    pairs = difference[..., None] * (scores[:, None] - scores) / 2  # (s, s, K)
    weights = q[:, None] * q
    mean = np.tensordot(weights, pairs, 2)
    return mean, float(np.tensordot(weights, (pairs - mean) ** 2, 2).sum())


def relaxed(model: Model, x: Array, q_logits: Array, temperature: float) -> Array:
    """Gradients through switches half on, single draws, shape (RELAXED_DRAWS, K).

    z = sigmoid((logits of q + logistic noise) / temperature): Gumbel-softmax for two values.
    Maddison et al., arXiv:1611.00712.
    """
    words = stream(0, "gumbel").random_raw(RELAXED_DRAWS * len(q_logits))
    noise = logit(((words >> np.uint64(11)) + 0.5) * 2.0**-53).reshape(RELAXED_DRAWS, -1)
    z = expit((q_logits + noise) / temperature)
    slopes = (x - expit(z @ model.weights + model.biases)) @ model.weights.T
    return slopes * z * (1 - z) / temperature
