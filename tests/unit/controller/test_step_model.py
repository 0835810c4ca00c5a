"""The model of a training step: constants are found again, and too few points are refused."""

import math
from dataclasses import replace

import numpy as np
import pytest

from elboflow.reading.step_model import (
    Measured,
    NoModel,
    StepModel,
    fit,
    largest_error,
    largest_of,
)

SIZE = 4_000_000
TRUTH = StepModel(2e-3, 3e-5, 4e-4, 2e-4, 5e-5, 1 / 10e9, SIZE)


def point(ranks: int, images: float, hosts: int = 1, model: StepModel = TRUTH) -> Measured:
    """What would be measured if the model were exact."""
    parts = (model.computing(images), model.waiting(ranks), model.adding(ranks))
    latency = replace(model, bytes=4).adding(ranks)
    return Measured(ranks, images, hosts, False, sum(parts), *parts, latency)


POINTS = [point(ranks, images / ranks) for ranks in (1, 2, 4, 8) for images in (200, 200 * ranks)]


def test_the_fit_recovers_what_made_the_data() -> None:
    model = fit(POINTS, SIZE)
    assert vars(model) == pytest.approx(vars(TRUTH), rel=1e-6)
    assert largest_error(model, POINTS) < 1e-6
    assert model.step(1024, 200) == pytest.approx(TRUTH.step(1024, 200))


def test_noise_of_one_percent_moves_it_by_percents() -> None:
    noise = np.random.default_rng(1)
    names = ("step", "computing", "waiting", "adding", "latency")
    noisy = [
        replace(each, **{name: getattr(each, name) * noise.normal(1, 0.01) for name in names})
        for each in POINTS
    ]
    model = fit(noisy, SIZE)
    assert model.step(1024, 200) == pytest.approx(TRUTH.step(1024, 200), rel=0.05)
    assert 0 < largest_error(model, noisy) < 0.05


@pytest.mark.parametrize(
    ("count", "mean"),
    [(1, 0), (2, 1 / math.sqrt(math.pi)), (3, 1.5 / math.sqrt(math.pi)), (1000, 3.2414)],
)
def test_mean_of_the_largest_normal_number(count: int, mean: float) -> None:
    assert largest_of(count) == pytest.approx(mean, abs=1e-4)


def test_one_rank_adds_and_waits_for_nothing() -> None:
    assert TRUTH.adding(1) == 0
    assert TRUTH.waiting(1) == pytest.approx(0)
    # 2 (n - 1) / n of the bytes and log2 n hops
    assert TRUTH.adding(4) == pytest.approx(2e-4 + 2 * 5e-5 + 1.5 * SIZE / 10e9)


def test_no_constant_is_negative() -> None:
    """Computing that grows with less than nothing to start with."""
    points = [replace(each, computing=1e-6 * each.images**2) for each in POINTS]
    assert min(vars(fit(points, SIZE)).values()) >= 0


def test_over_several_hosts_only_their_network_counts() -> None:
    slow = replace(TRUTH, start=1e-3, seconds_per_byte=1e-9)
    far = [point(ranks, 100, ranks // 8, slow) for ranks in (16, 32, 64)]
    model = fit([*POINTS, *far], SIZE)
    assert model.seconds_per_byte == pytest.approx(1e-9)
    assert model.fixed == pytest.approx(TRUTH.fixed)


@pytest.mark.parametrize(
    ("points", "words"),
    [
        ([point(1, 200)], "and none was measured"),
        ([point(1, 200), point(2, 100)], "and only 2 ranks were measured"),
        (
            [point(1, 200), point(2, 100), replace(point(4, 50), oversubscribed=True)],
            "only 2 ranks were measured; ranks that share cores or GPUs do not count",
        ),
        ([*POINTS, point(16, 100, 2)], "only 16 ranks over several hosts were measured"),
    ],
)
def test_too_few_points_are_no_model(points: list[Measured], words: str) -> None:
    with pytest.raises(NoModel, match=words):
        fit(points, SIZE)
