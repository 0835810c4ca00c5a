import dataclasses
import math

import numpy as np
import pytest
import torch

from elboflow.vae.measure.baselines import Baselines
from elboflow.vae.measure.checks import (
    ImpossibleResult,
    _better_than_mean_image,
    _not_collapsed,
    check,
    check_scale,
)
from elboflow.vae.measure.summary import PerImage, active_units, mean_of, summarise
from elboflow.vae.model.binary_likelihoods import Bernoulli
from elboflow.vae.model.unit_likelihoods import Gaussian

N = 50


def per_image(**changes):
    random = np.random.default_rng(0)
    rate, distortion = random.uniform(2, 4, N), random.uniform(20, 30, N)
    values = {
        "rate": rate,
        "distortion": distortion,
        "elbo_monte_carlo_error": np.full(N, 0.2),
        "log_likelihood": -rate - distortion + 1.5,
        "ess": np.full(N, 80.0),
        "largest_weight": np.full(N, 0.05),
        "pareto_k": np.full(N, 0.3),
        "log_means": (-rate - distortion + 1.5)[:, None] + random.normal(0, 0.2, (N, 64)),
        "samples": 1000,
        "kl": random.uniform(0, 1, (N, 3)),
        "posterior_mean": random.normal(size=(N, 3)) * [1.0, 0.5, 0.001],
    }
    return PerImage(**{**values, **changes})


def base(**changes):
    values = {
        "noise_floor": np.full(N, -10.0),
        "entropy": np.full(N, 10.5),
        "mean_image": np.full(N, -40.0),
    }
    return Baselines(**{**values, **changes})


def statuses(images=None, limits=None):
    rows = check(images or per_image(), limits or base(), threshold=0.01)
    return {name: status for name, status, _ in rows}


def test_sound_results_pass():
    assert set(statuses().values()) == {"ok"}


@pytest.mark.promise(
    "checks",
    "a log p(x) above the noise floor by more than 5 standard errors ends the job",
    "results that are made so",
)
def test_a_likelihood_above_the_noise_floor_fails():
    with pytest.raises(ImpossibleResult, match="log_likelihood - noise_floor"):
        statuses(limits=base(noise_floor=np.full(N, -30.0)))


@pytest.mark.promise(
    "checks",
    "an ELBO above log p(x) by more than 5 standard errors ends the job",
    "results that are made so",
)
def test_an_elbo_above_the_likelihood_fails():
    images = per_image()
    with pytest.raises(ImpossibleResult, match="elbo - log_likelihood"):
        statuses(dataclasses.replace(images, log_likelihood=images.elbo - 0.5))


def test_an_excess_within_five_standard_errors_passes():
    images = per_image()
    scatter = np.random.default_rng(1).normal(0.1, 1.0, N)
    assert statuses(dataclasses.replace(images, log_likelihood=images.elbo - scatter))


@pytest.mark.parametrize("name", ["rate", "log_likelihood", "ess"])
def test_a_value_that_is_not_finite_fails(name):
    values = np.full(N, 1.0)
    values[3] = math.nan
    with pytest.raises(ImpossibleResult, match="not finite"):
        statuses(per_image(**{name: values}))


@pytest.mark.parametrize(
    ("images", "limits", "warned"),
    [
        ({}, {"mean_image": np.full(N, -11.0)}, "better_than_mean_image"),
        ({"posterior_mean": np.zeros((N, 3))}, {}, "not_collapsed"),
        (
            {"log_means": np.random.default_rng(4).normal(-25, 9, (N, 64))},
            {},
            "enough_importance_samples",
        ),
    ],
)
def test_what_is_merely_bad_is_a_warning(images, limits, warned):
    found = statuses(per_image(**images), base(**limits))
    assert [name for name, status in found.items() if status == "warning"] == [warned]


@pytest.mark.promise(
    "checks",
    "a model that is no better than the mean image passes as better in 5 % of cases at most",
    "2000 tests of 50 images with a true gain of 0: 3.5 %, that of a normal gain is 2.3 %",
)
def test_a_gain_within_its_error_is_not_better_than_the_mean_image():
    """Images differ by far more than gains do, which are paired."""
    random, passed = np.random.default_rng(4), 0
    for _ in range(2000):
        images = per_image(log_likelihood=-20 + random.normal(0, 1, N))
        row = _better_than_mean_image(images, base(mean_image=np.full(N, -20.0)))
        passed += row[1] == "ok"
    assert passed < 0.035 * 2000
    assert row[2].endswith(
        "nats better than the mean training image, paired over images: not clearly better"
    )


@pytest.mark.parametrize(
    ("sd", "warned"), [(0.0, ""), (0.102, ", none of them clearly"), (0.2, None)]
)
def test_a_dimension_at_the_threshold_is_not_clearly_active(sd, warned):
    """Variances 0, 0.0104 and 0.04 of 0.01; over 50 images their errors are a fifth."""
    means = np.random.default_rng(5).normal(size=(N, 1))
    means = sd * (means - means.mean()) / means.std(ddof=1)
    _, status, detail = _not_collapsed(per_image(posterior_mean=means), 0.01)
    active = "0 of 1" if sd == 0 else "1 of 1"
    assert detail == f"{active} latent dimensions are active{warned or ''}"
    assert status == ("ok" if warned is None else "warning")


@pytest.mark.promise(
    "data_error",
    "sd over images / sqrt N",
    "against the formula",
)
@pytest.mark.promise(
    "monte_carlo_error",
    "root of the summed squares of the images, over N",
    "against the formula",
)
def test_errors_are_kept_apart():
    values = np.array([1.0, 2.0, 4.0])
    quantity = mean_of("x", values, np.array([0.3, 0.0, 0.4]))
    assert quantity.value == pytest.approx(7 / 3)
    assert quantity.data_error == pytest.approx(values.std(ddof=1) / 3**0.5)
    assert quantity.monte_carlo_error == pytest.approx(0.5 / 3)


@pytest.mark.promise(
    "data_error",
    "the interval of 1.96 errors holds the mean over all such images in 95 % of cases",
    "2000 test sets of 397 images: normal 93.5 to 96.5 %; 93 % at least with a skewness of 6",
)
@pytest.mark.parametrize("skewed", [False, True])
def test_the_data_error_covers(skewed):
    random, held = np.random.default_rng(10), 0
    for _ in range(2000):
        draws = random.normal(size=397)
        row = mean_of("x", -np.exp(draws) if skewed else draws)
        held += abs(row.value + (math.exp(0.5) if skewed else 0)) < 1.96 * row.data_error
    assert (0.93 if skewed else 0.935) * 2000 < held < 0.965 * 2000


@pytest.mark.promise(
    "gap, bits_per_dim",
    "computed from log p(x) and ELBO of the same images",
    "against the formulas",
)
def test_summary_has_every_quantity_in_its_unit():
    rows = {q.name: q for q in summarise(per_image(), base(), 64, True, threshold=0.01)}
    assert rows["elbo"].value == pytest.approx(-rows["rate"].value - rows["distortion"].value)
    assert rows["gap"].value == pytest.approx(1.5)
    bits = -rows["log_likelihood"].value / (64 * math.log(2))
    assert rows["bits_per_dim"].value == pytest.approx(bits)
    assert rows["active_units"].value == 2
    assert rows["informative_units"].value == 3
    assert rows["noise_floor"].value == -10.5


@pytest.mark.promise(
    "active_units",
    "counts dimensions whose posterior mean has a variance over images above the threshold",
    "a dimension on either side",
)
def test_active_units_vary_over_images():
    means = np.array([[0.0, 1.0], [0.01, -1.0], [0.0, 0.5]])
    assert active_units(means, 0.01).tolist() == [False, True]


@pytest.mark.promise(
    "active_units_at_half_threshold, active_units_at_twice_threshold, informative_units",
    "count the same dimensions by other limits",
    "variances 0.007, 0.012, 0.03 and KLs 0.05, 0.09, 0.3",
)
def test_units_are_counted_by_other_limits_as_well():
    means = np.random.default_rng(0).normal(size=(N, 3))
    means = means / means.std(0, ddof=1) * np.sqrt([0.007, 0.012, 0.03])
    images = per_image(posterior_mean=means, kl=np.full((N, 3), [0.05, 0.09, 0.3]))
    rows = {q.name: q.value for q in summarise(images, base(), 64, True, threshold=0.01)}
    counts = [
        rows[f"active_units{end}"] for end in ("_at_half_threshold", "", "_at_twice_threshold")
    ]
    assert counts == [3, 2, 1]
    assert rows["informative_units"] == 1
    unknown = dataclasses.replace(images, kl=np.full((N, 3), np.nan))
    assert "informative_units" not in {q.name for q in summarise(unknown, base(), 64, True, 0.01)}


def test_what_a_model_has_not_is_left_out():
    """A density has no bits, and images as they are have no noise floor."""
    limits = base(noise_floor=None, entropy=None)
    rows = summarise(per_image(), limits, pixels=64, discrete=False, threshold=0.01)
    found = {row.name for row in rows}
    assert not found & {"bits_per_dim", "noise_floor", "exact_log_likelihood"}
    assert not [name for name in statuses(limits=limits) if "floor" in name or "exact" in name]


def test_an_exact_value_is_shown_and_bounds_the_estimates():
    images = per_image()
    exact = images.log_likelihood + np.random.default_rng(2).normal(0, 0.1, N)
    found = dataclasses.replace(images, exact_log_likelihood=exact)
    rows = {q.name: q for q in summarise(found, base(), 64, True, 0.01)}
    assert rows["exact_log_likelihood"].value == pytest.approx(exact.mean())
    passed = statuses(found)
    assert passed["elbo_not_above_exact_log_likelihood"] == "ok"
    assert passed["log_likelihood_not_above_exact_log_likelihood"] == "ok"
    for name in ("elbo", "log_likelihood"):
        below = getattr(images, name) - 0.1 + np.random.default_rng(3).normal(0, 0.1, N)
        worse = dataclasses.replace(images, exact_log_likelihood=below)
        with pytest.raises(ImpossibleResult, match=f"{name} - exact_log_likelihood"):
            far = dataclasses.replace(worse, distortion=images.distortion + 9)
            statuses(worse if name == "elbo" else far)


def test_rounding_is_no_excess():
    """Where q is the posterior every weight is p(x), and estimates differ by rounding alone."""
    images = per_image()
    exact = images.log_likelihood - 1e-6
    assert statuses(dataclasses.replace(images, exact_log_likelihood=exact))


def test_a_scale_held_up_by_its_floor_is_a_warning():
    likelihood = Gaussian(None, floor=0.01)
    assert [row[:2] for row in check_scale(likelihood)] == [("scale_above_floor", "ok")]
    with torch.no_grad():
        likelihood.scale.log_scale.fill_(-6.0)
    assert [row[:2] for row in check_scale(likelihood)] == [("scale_above_floor", "warning")]
    assert check_scale(Gaussian(0.1)) == check_scale(Bernoulli()) == []


def test_few_images_prove_nothing_impossible():
    """Their standard error may by chance be next to nothing."""
    few = {
        name: value if isinstance(value, int) else value[:5]
        for name, value in vars(per_image()).items()
        if value is not None
    }
    exact = few["log_likelihood"] - np.array([0.3, 0.3001, 0.2999, 0.3, 0.3])
    limits = {name: value[:5] for name, value in vars(base()).items()}
    assert statuses(PerImage(**few, exact_log_likelihood=exact), Baselines(**limits))


def test_rate_and_distortion_have_errors_of_their_own_where_both_are_sampled():
    errors = {
        "rate_monte_carlo_error": np.full(N, 0.6),
        "distortion_monte_carlo_error": np.full(N, 0.5),
    }
    found = {
        quantity.name: quantity.monte_carlo_error
        for quantity in summarise(per_image(**errors), base(), 100, True, 0.01)
    }
    assert found["rate"] == pytest.approx(0.6 / N**0.5)
    assert found["distortion"] == pytest.approx(0.5 / N**0.5)
    assert found["elbo"] == pytest.approx(0.2 / N**0.5)
