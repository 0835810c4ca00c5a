import pytest

from elboflow.vae.annealing.bounds import require_bracket
from elboflow.vae.measure.checks import ImpossibleResult


def rows(gap, images=20, **changes):
    """Images whose upper bound is that far above the lower ones, up to 0.1 nats of noise."""
    test = {"origin": "test", "importance_nats": -5.0, "ais_nats": -5.0}
    made = [
        {
            "importance_nats": -5.0 + noise,
            "importance_error_nats": 0.05,
            "ais_nats": -5.0 + noise,
            "ais_error_nats": 0.05,
            "upper_nats": -5.0 + gap,
            "upper_error_nats": 0.05,
            **changes,
        }
        for noise in (0.1, -0.1) * (images // 2)
    ]
    return [test, *made]


@pytest.mark.parametrize("gap", [0.3, 0.0, -0.08])
def test_brackets_that_are_open_by_no_more_than_chance_pass(gap):
    require_bracket(rows(gap))


@pytest.mark.promise(
    "upper_minus_ais, upper_minus_importance",
    "a lower bound above the upper one by more than 5 standard errors ends the job",
    "results that are made so",
)
@pytest.mark.parametrize("name", ["ais", "importance"])
def test_a_lower_bound_far_above_the_upper_one_fails(name):
    with pytest.raises(ImpossibleResult, match=f"on simulated images {name} is 0.5"):
        require_bracket(rows(0.0, **{f"{name}_nats": -4.5}))


def test_few_images_that_agree_by_chance_are_no_proof():
    """Two images of equal differences have no spread; their chains' errors count."""
    require_bracket(rows(0.0, images=2, ais_nats=-4.9))


@pytest.mark.parametrize("value", [float("nan"), float("-inf")])
def test_a_bound_that_is_not_finite_fails(value):
    with pytest.raises(ImpossibleResult, match="upper_nats: not finite"):
        require_bracket(rows(0.0, upper_nats=value))
