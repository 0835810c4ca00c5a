"""The chapter's numbers against formulas: integrals, q, two cases, switches."""

import itertools
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logsumexp
from scipy.stats import multivariate_normal

from elboflow.chapter.discrete import Model, fit, gap_table, log_mean_field, mean_field
from elboflow.chapter.gradients import gradient_table as gradients
from elboflow.chapter.jensen import jensen_table, joint, log_evidence, posterior
from elboflow.chapter.mixture import (
    FAMILIES,
    covariances,
    gaussian,
    gaussian_rate,
    log_density,
    log_density_gradient,
    rate,
)
from elboflow.chapter.posteriors import measure_q as measure_q
from elboflow.chapter.posteriors import search
from elboflow.chapter.surface import surface
from elboflow.chapter.tables import DECIMALS
from elboflow.reading.csv_tables import write_table
from elboflow.vae.measure.quadrature import (
    integral,
    kl,
    log_integral,
    log_prior,
    moments,
    nodes,
    non_gaussianity,
    plane,
)

AXIS = nodes(0.05)
# Linear decoder x = W z + noise of variance 0.5: all is Gaussian.
W, NOISE, X = np.array([[1.0, 0.4], [-0.3, 0.8], [0.5, 0.5]]), 0.5, np.array([0.7, -0.4, 1.1])


def linear_likelihood(axis: np.ndarray) -> np.ndarray:
    """log N(x; W z, NOISE I) on the grid."""
    away = X - plane(axis) @ W.T
    return -0.5 * (away**2).sum(-1) / NOISE - 1.5 * math.log(2 * math.pi * NOISE)


def exact_posterior() -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance of p(z | x) of the linear decoder."""
    covariance = np.linalg.inv(W.T @ W / NOISE + np.eye(2))
    return covariance @ W.T @ X / NOISE, covariance


def some_mixture() -> np.ndarray:
    rows = np.array([[0.2, 0.5, -0.4, 0.3, 0.9, 0.6], [-0.7, -1.1, 0.8, 1.2, 0.1, -0.5]])
    return rows.astype(float)


def test_the_prior_integrates_to_one() -> None:
    assert log_integral(log_prior(AXIS), AXIS) == pytest.approx(0, abs=1e-10)


@pytest.mark.promise(
    "chapter",
    "log p(x) by quadrature is exact",
    "linear decoder with 2-D z: 1e-10 nat",
)
def test_evidence_of_a_linear_decoder() -> None:
    """Bishop, Pattern Recognition and Machine Learning, equation 12.35."""
    expected = multivariate_normal.logpdf(X, np.zeros(3), W @ W.T + NOISE * np.eye(3))
    found = log_integral(linear_likelihood(AXIS) + log_prior(AXIS), AXIS)
    assert found == pytest.approx(expected, abs=1e-10)


def test_moments_and_distance_from_a_gaussian() -> None:
    mean, covariance = exact_posterior()
    log_joint = linear_likelihood(AXIS) + log_prior(AXIS)
    log_q = log_joint - log_integral(log_joint, AXIS)
    found = moments(log_q, AXIS)
    assert found[0] == pytest.approx(mean, abs=1e-10)
    assert found[1] == pytest.approx(covariance, abs=1e-10)
    assert non_gaussianity(log_q, AXIS) == pytest.approx(0, abs=1e-9)
    two = log_density(some_mixture(), plane(AXIS))
    own_mean, own_covariance = moments(two, AXIS)
    matched = log_density(gaussian(own_mean, own_covariance), plane(AXIS))
    assert non_gaussianity(two, AXIS) == pytest.approx(kl(two, matched, AXIS), abs=1e-9)


def test_a_component_is_the_gaussian_that_was_asked_for() -> None:
    covariance = np.array([[0.5, -0.2], [-0.2, 0.3]])
    parameters = gaussian(np.array([0.3, -0.6]), covariance)
    assert covariances(parameters)[0] == pytest.approx(covariance)
    points = np.array([[0.0, 0.0], [1.0, -2.0]])
    expected = multivariate_normal.logpdf(points, [0.3, -0.6], covariance)
    assert log_density(parameters, points) == pytest.approx(expected)
    log_q = log_density(some_mixture(), plane(AXIS))
    assert integral(np.exp(log_q), AXIS) == pytest.approx(1, abs=1e-10)


def test_the_gradient_of_a_mixture_is_that_of_finite_differences() -> None:
    parameters, point, step = some_mixture(), np.array([[0.2, -0.1]]), 1e-6
    gradient = log_density_gradient(parameters, point)[1][..., 0]
    for place in np.ndindex(parameters.shape):
        up, down = parameters.copy(), parameters.copy()
        up[place] += step
        down[place] -= step
        slope = (log_density(up, point) - log_density(down, point))[0] / (2 * step)
        assert gradient[place] == pytest.approx(slope, abs=1e-7), place


@pytest.mark.promise(
    "chapter",
    "the rate of a Gaussian q is exact",
    "quadrature: 1e-9 nat",
)
def test_the_rate_in_closed_form_is_the_integral() -> None:
    parameters = gaussian(np.array([0.5, -1.0]), np.diag([0.3**2, 1.5**2]))
    # 0.5 sum(mu^2 + s^2 - 1 - 2 log s), the first two dimensions.
    assert gaussian_rate(parameters) == pytest.approx(0.8739728 + 0.71953489, abs=1e-7)
    narrow = gaussian(np.array([0.5, -1.0]), np.array([[0.2, 0.1], [0.1, 0.4]]))
    log_q = log_density(narrow, plane(AXIS))
    assert rate(narrow, AXIS) == pytest.approx(kl(log_q, log_prior(AXIS), AXIS), abs=1e-9)


@pytest.mark.promise(
    "chapter",
    "the search finds the best q of a family",
    "linear decoder, the best is known: 1e-6 nat",
)
def test_the_best_full_gaussian_is_the_posterior_where_that_is_one() -> None:
    """Then its gap is zero, and simpler families miss what mean-field must (Bishop, 10.1.2)."""
    mean, covariance = exact_posterior()
    likelihood = linear_likelihood(AXIS)
    found = search(likelihood + log_prior(AXIS), AXIS)
    fine = nodes(0.025)
    measured = {q.name: measure_q(found[q], linear_likelihood(fine), fine) for q in FAMILIES}
    full = found[FAMILIES[2]]
    assert full[0, 1:3] == pytest.approx(mean, abs=1e-4)
    assert covariances(full)[0] == pytest.approx(covariance, abs=1e-4)
    assert measured["full Gaussian"]["gap_nats"] == pytest.approx(0, abs=1e-7)
    # The best diagonal q has the precisions of the posterior: KL = 0.5 log(prod precisions / det).
    precision = np.linalg.inv(covariance)
    missed = 0.5 * math.log(precision[0, 0] * precision[1, 1] / np.linalg.det(precision))
    assert measured["diagonal Gaussian"]["gap_nats"] == pytest.approx(missed, abs=1e-6)
    gaps = [measured[q.name]["gap_nats"] for q in FAMILIES]
    assert all(richer < simpler + 1e-7 for simpler, richer in itertools.pairwise(gaps))


def test_a_mixture_finds_both_modes() -> None:
    far = np.concatenate(
        [
            gaussian(np.array([-1.5, 0]), 0.1 * np.eye(2)),
            gaussian(np.array([1.5, 0.5]), np.eye(2) / 5),
        ]
    )
    log_posterior = log_density(far, plane(AXIS))
    found = search(log_posterior, AXIS)
    gaps = {q.name: kl(log_density(found[q], plane(AXIS)), log_posterior, AXIS) for q in FAMILIES}
    assert gaps["mixture of 3"] < 1e-3 < gaps["full Gaussian"]


@pytest.mark.promise(
    "chapter",
    "the surface is exact",
    "linear decoder, closed form: 1e-5 nat",
)
def test_the_surface_holds_the_elbo_of_each_q() -> None:
    fine = nodes(0.025)
    table = surface(linear_likelihood(fine), fine, (0.2, -0.1))
    for place in (0, 1000, len(table) - 1):
        row = table.iloc[place]
        q = gaussian(row[["mean_1", "mean_2"]].to_numpy(float), np.eye(2) * row["sd"] ** 2)
        assert row["rate_nats"] == pytest.approx(gaussian_rate(q), abs=1e-9)
        # E (x - Wz)^2 = (x - W mu)^2 + sd^2 |W|^2
        away = X - W @ row[["mean_1", "mean_2"]].to_numpy(float)
        squares = (away**2).sum() + row["sd"] ** 2 * (W**2).sum()
        expected = squares / (2 * NOISE) + 1.5 * math.log(2 * math.pi * NOISE)
        assert row["distortion_nats"] == pytest.approx(expected, abs=1e-5)
    assert (table["elbo_nats"] < table["log_p_nats"]).all()


@pytest.mark.promise(
    "chapter",
    "the two cases of Jensen's inequality are exact",
    "by hand: 1e-14 nat",
)
def test_two_cases_by_hand() -> None:
    spam, ham = 0.4 * 0.8 * 0.9 * 0.3, 0.6 * 0.2 * 0.95 * 0.6
    assert joint() == pytest.approx([spam, ham])
    assert log_evidence() == pytest.approx(math.log(spam + ham))
    assert log_evidence() == pytest.approx(-1.8656213178265104, abs=1e-14)
    assert posterior() == pytest.approx([0.55813953, 0.44186047], abs=1e-8)


@pytest.mark.parametrize(
    ("q", "elbo", "gap"),
    [(0.5, -1.8724278482, 0.0068065304), (0.9, -2.1470461149, 0.2814247971)],
)
def test_the_bound_of_two_cases(q: float, elbo: float, gap: float) -> None:
    row = jensen_table(np.array([q])).iloc[0]
    by_hand = q * math.log(joint()[0] / q) + (1 - q) * math.log(joint()[1] / (1 - q))
    assert row["elbo_nats"] == pytest.approx(by_hand, abs=1e-13)
    assert (row["elbo_nats"], row["gap_nats"]) == pytest.approx((elbo, gap), abs=1e-9)
    assert row["elbo_nats"] == pytest.approx(-row["rate_nats"] - row["distortion_nats"])


def test_the_bound_of_two_cases_is_tight_at_the_posterior_and_finite_at_the_ends() -> None:
    table = jensen_table(np.array([0.0, posterior()[0], 1.0]))
    assert table["gap_nats"].iloc[1] == pytest.approx(0, abs=1e-15)
    assert table["elbo_nats"].iloc[[0, 2]].tolist() == pytest.approx(
        [math.log(joint()[1]), math.log(joint()[0])]
    )


def small_model(switches: int = 3, pixels: int = 4) -> Model:
    draws = np.random.default_rng(0)
    return Model(
        draws.normal(size=switches),
        2 * draws.normal(size=(switches, pixels)),
        draws.normal(size=pixels),
    )


def all_images(pixels: int = 4) -> np.ndarray:
    return (np.arange(2**pixels)[:, None] >> np.arange(pixels) & 1).astype(float)


def test_summed_out_switches_give_a_normalised_density() -> None:
    evidence = logsumexp(small_model().log_joint(all_images()), axis=1)
    assert np.exp(evidence).sum() == pytest.approx(1, abs=1e-12)


@pytest.mark.promise(
    "chapter",
    "the gap of discrete latents is the KL, and is a local minimum",
    "16 images, 8 states: 1e-10 nat",
)
def test_the_gap_of_switches_is_a_kl_and_no_small_change_closes_it() -> None:
    model = small_model()
    log_joint, states = model.log_joint(all_images()), model.states
    on = mean_field(log_joint, states)
    table = gap_table(log_joint, log_mean_field(on, states))
    assert (table["gap_nats"] - table["kl_nats"]).abs().max() < 1e-10
    assert (table["gap_nats"] > 0).all()
    draws = np.random.default_rng(1)
    for _ in range(5):
        near = np.clip(on + 0.01 * draws.normal(size=on.shape), 1e-6, 1 - 1e-6)
        assert (
            gap_table(log_joint, log_mean_field(near, states))["gap_nats"]
            > table["gap_nats"] - 1e-9
        ).all()


def test_exact_training_recovers_a_known_density() -> None:
    """With one switch and many images the likelihood comes to that of the model that drew them."""
    truth = Model(np.array([0.5]), np.array([[3.0, -3.0, 2.0]]), np.array([-1.0, 1.0, 0.0]))
    images = all_images(3)
    probability = np.exp(logsumexp(truth.log_joint(images), axis=1))
    x = np.repeat(images, np.round(4000 * probability).astype(int), axis=0)
    found = fit(x, switches=1, steps=300)
    reached = logsumexp(found.log_joint(x), axis=1).mean()
    assert reached >= logsumexp(truth.log_joint(x), axis=1).mean() - 1e-4


def gradient_of_elbo(model: Model, x: np.ndarray, logits: np.ndarray) -> np.ndarray:
    """Of E_q[log p(x|z)], by finite differences of the sum over states."""
    states, outputs = model.states, model.states @ model.weights + model.biases
    log_likelihood = outputs @ x - np.logaddexp(0, outputs).sum(1)

    def expectation(at: np.ndarray) -> float:
        return float(np.exp(log_mean_field(expit(at)[None], states))[0] @ log_likelihood)

    moves = 1e-5 * np.eye(len(logits))
    return np.array([expectation(logits + m) - expectation(logits - m) for m in moves]) / 2e-5


@pytest.mark.promise(
    "gradients",
    "the exact gradient is right",
    "finite differences of the sum over states: 1e-8 nat",
)
def test_estimators_of_the_gradient_of_switches() -> None:
    model, x = small_model(), np.array([1.0, 0.0, 1.0, 1.0])
    table = gradients(model, x).set_index("estimator")
    slope = np.linalg.norm(gradient_of_elbo(model, x, model.prior))
    assert table["norm_nats"].to_numpy() == pytest.approx(slope, abs=1e-8)
    relaxed = table.loc["gumbel_softmax"].sort_values("temperature")
    assert relaxed["bias_nats"].is_monotonic_increasing
    assert relaxed["sd_nats"].is_monotonic_decreasing


@pytest.mark.promise(
    "gradients",
    "the sd is that of draws",
    "20,000 draws: 3 %",
)
def test_the_spread_of_two_draws_is_that_of_simulated_ones() -> None:
    model, x, draws = small_model(), np.array([1.0, 0.0, 1.0, 1.0]), 20_000
    table = gradients(model, x).set_index("estimator")
    on = expit(model.prior)
    z = (np.random.default_rng(2).random((draws, 2, 3)) < on).astype(float)
    outputs = z @ model.weights + model.biases
    f = (outputs @ x - np.logaddexp(0, outputs).sum(-1))[..., None]
    for name, baseline in (("score_function", 0), ("leave_one_out", f[:, ::-1])):
        found = ((f - baseline) * (z - on)).mean(1)
        expected = table.loc[name, "sd_nats"]
        assert found.var(0).sum() ** 0.5 == pytest.approx(expected, rel=0.03), name


def test_tables_are_written_with_fixed_decimals(tmp_path: Path) -> None:
    write_table(pd.DataFrame({"image": [3], "gap_nats": [-1e-20]}), tmp_path / "t.csv", DECIMALS)
    assert (tmp_path / "t.csv").read_text() == "image,gap_nats\n3,0.000000000\n"
