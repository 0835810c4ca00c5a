import math

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from elboflow.vae.checkpoint import deserialise, serialise
from elboflow.vae.training.gradient import eager_gradient
from elboflow.vae.training.schedules import beta_at, learning_rate_at
from elboflow.vae.training.steps import Diverged


@given(st.integers(2, 30), st.integers(1, 7), st.sampled_from(["elbo", "importance_weighted"]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_shares_of_any_size_sum_to_the_gradient_of_the_global_mean(toy, batch, ranks, kind):
    spec = toy["spec"](batch_size=batch, objective=kind, training_samples=3)
    vae = toy["vae"](objective=kind)
    gradient = eager_gradient(vae, spec)
    generator = torch.Generator().manual_seed(batch)
    x = (torch.rand(batch, 12, generator=generator) < 0.5).double()
    noise = torch.randn(3, batch, 2, dtype=torch.float64, generator=generator)
    whole = gradient(x, noise, 1.0)
    total = torch.zeros_like(whole)
    for rank in range(ranks):
        share = slice(batch * rank // ranks, batch * (rank + 1) // ranks)
        total += gradient(x[share], noise[:, share], 1.0)
    torch.testing.assert_close(total, whole, rtol=1e-12, atol=1e-12)


def test_training_raises_the_elbo_and_writes_a_row_per_epoch(toy):
    training = toy["trained"](epochs=60)
    assert [row["epoch"] for row in training.metrics] == list(range(1, 61))
    assert training.metrics[-1]["train_elbo_nats"] > training.metrics[0]["train_elbo_nats"] + 0.1
    last = training.metrics[-1]
    assert last["train_elbo_nats"] == -last["train_distortion_nats"] - last["train_rate_nats"]
    assert last["train_objective_nats"] == pytest.approx(last["train_elbo_nats"])


def test_an_interrupted_training_goes_on_to_the_same_bits(toy):
    changes = {"epochs": 6, "patience": 5, "precision": "float32"}
    straight = toy["trained"](**changes)
    for stop in (1, 4, 13):
        first = toy["training"](**changes)
        for _ in range(stop):
            if first.advance():
                first.end_epoch()
        second = toy["training"](**changes)
        second.load_state(deserialise(serialise(first.state())))
        toy["train"](second)
        assert second.metrics_csv() == straight.metrics_csv()
        assert torch.equal(second.flat.values, straight.flat.values)


def test_seeds_give_different_trainings(toy):
    one, other = (toy["trained"](seed=seed) for seed in (1, 2))
    assert not torch.equal(one.flat.values, other.flat.values)


def test_early_stopping_keeps_the_best_parameters(toy):
    training = toy["trained"](epochs=400, patience=3, learning_rate=0.1)
    elbos = [row["validation_elbo_nats"] for row in training.metrics]
    best = elbos.index(max(elbos)) + 1
    assert len(elbos) == best + 3
    assert training.kept_epoch == best
    kept = training.kept_parameters()
    again = toy["training"](epochs=400, patience=3, learning_rate=0.1)
    while len(again.metrics) < best:
        if again.advance():
            again.end_epoch()
    assert all(torch.equal(kept[name], value) for name, value in again.vae.state_dict().items())


@pytest.mark.promise(
    "training_curves",
    "with patience the epoch that is kept is the best by what is trained, at the run's beta",
    "beta 0.1, 1 and 4, against all epochs of the metrics",
)
@pytest.mark.parametrize("beta", [0.1, 1.0, 4.0])
def test_early_stopping_goes_by_the_objective_that_is_trained(toy, beta):
    training = toy["trained"](epochs=120, patience=8, learning_rate=0.03, beta=beta)
    objective = [
        -row["validation_distortion_nats"] - beta * row["validation_rate_nats"]
        for row in training.metrics
    ]
    assert training.kept_epoch == objective.index(max(objective)) + 1
    elbos = [row["validation_elbo_nats"] for row in training.metrics]
    assert (elbos == objective) == (beta == 1), "beta 1 is the ELBO, to the bit"


def test_a_step_that_is_not_finite_raises_and_leaves_the_parameters(toy):
    training = toy["training"]()
    training.taken.batches.ahead = 1
    training.advance()
    before = training.flat.values.detach().clone()
    training.taken.allreduce = lambda buffer: buffer.fill_(math.nan)
    with pytest.raises(Diverged, match="not finite at step 2"):
        training.advance()
    assert torch.equal(training.flat.values, before)


def test_steps_ahead_change_no_bit(toy):
    """Whose totals are looked at now and then."""
    changes = {"epochs": 6, "precision": "float32", "patience": 5}
    straight, ahead = toy["training"](**changes), toy["training"](**changes)
    straight.taken.batches.ahead, ahead.taken.batches.ahead = 1, 5
    toy["train"](straight)
    toy["train"](ahead)
    assert ahead.metrics_csv() == straight.metrics_csv()
    assert torch.equal(ahead.flat.values, straight.flat.values)


def test_a_state_taken_ahead_is_that_of_its_step(toy):
    one, ahead = toy["training"](), toy["training"]()
    one.taken.batches.ahead, ahead.taken.batches.ahead = 1, 3
    for training in (one, ahead):
        training.advance()
    assert serialise(ahead.state()) == serialise(one.state())


def test_a_step_that_is_not_finite_is_named_and_never_saved(toy):
    training = toy["training"](epochs=30)
    training.taken.batches.ahead = 9
    training.advance()
    training.taken.allreduce = lambda buffer: buffer.fill_(math.nan)
    training.advance()
    training.advance()
    with pytest.raises(Diverged, match="not finite at step 2"):
        training.state()


def test_gradient_clipping_bounds_the_step(toy):
    training = toy["training"](gradient_clip=0.5)
    seen = {}
    training.taken.optimiser.step = lambda gradient, _: seen.update(norm=gradient.norm().item())
    training.taken.allreduce = lambda buffer: buffer.mul_(1000)
    training.advance()
    assert seen["norm"] == pytest.approx(0.5)


def test_warm_up_is_linear_and_then_over(toy):
    spec = toy["spec"](beta=2.0, warmup_epochs=10)
    assert [beta_at(spec, passes) for passes in (0, 2.5, 10, 50)] == [0, 0.5, 2, 2]
    assert beta_at(toy["spec"](beta=3.0), 0) == 3


def test_staircase_is_that_of_the_paper(toy):
    spec = toy["spec"](schedule="iwae", epochs=3280, learning_rate=0.001)
    starts = [0, 1, 4, 13, 40, 121, 364, 1093]  # cumulated 3^i passes
    for stage, start in enumerate(starts):
        rate = 0.001 * 10 ** (-stage / 7)
        assert learning_rate_at(spec, start) == pytest.approx(rate)
        assert learning_rate_at(spec, start + 0.99 * 3**stage) == pytest.approx(rate)
    assert learning_rate_at(spec, 3281) == pytest.approx(0.0001)
    assert learning_rate_at(toy["spec"](learning_rate=0.5), 3) == 0.5


def test_a_validation_that_is_not_finite_raises(toy):
    training = toy["training"]()
    while not training.advance():
        pass
    with torch.no_grad():
        training.flat.values.fill_(math.nan)
    with pytest.raises(Diverged, match="validation ELBO is not finite after epoch 1"):
        training.end_epoch()


def test_early_stopping_waits_for_the_end_of_the_warm_up(toy):
    changes = {"epochs": 40, "patience": 2, "warmup_epochs": 12, "beta": 50.0}
    training = toy["trained"](**changes)
    assert training.kept_epoch >= 12


@pytest.mark.promise(
    "training_curves",
    "validation means are over all images once",
    "up to 60 images over up to 5 ranks",
)
@given(st.integers(1, 60), st.integers(1, 5))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
def test_validation_over_ranks_is_a_sum_and_a_count(toy, images, ranks):
    """Shares of any size; a mean of the ranks' means would differ."""

    def totals(size):
        collected = torch.zeros(3, dtype=torch.float64)

        def add(mine):
            collected.add_(mine)
            mine.copy_(torch.ones(3) * images)

        for rank in range(size):
            training = toy["training"](rank=rank, size=size, validation=images)
            training.validation.allreduce = add
            training.validation.rate_and_distortion()
        return collected

    alone, together = totals(1), totals(ranks)
    assert together[2] == images
    torch.testing.assert_close(together, alone, rtol=1e-12, atol=1e-12)
