"""A step that is compiled is the step, but for the last digits."""

import pytest
import torch
from torch.fx.experimental.proxy_tensor import make_fx

from elboflow.vae.checkpoint import deserialise, serialise
from elboflow.vae.spec import SpecError
from elboflow.vae.training import compiled
from elboflow.vae.training.gradient import eager_gradient, traceable_gradient

MODELS = [
    {},
    {"precision": "float32", "beta": 0.3, "training_samples": 3},
    {"likelihood": "continuous_bernoulli", "activation": "relu"},
    {"likelihood": "gaussian", "kl": "sampled"},
    {"likelihood": "discretised_logistic", "free_bits": 0.1},
    {"likelihood": "categorical", "precision": "bf16"},
    {"channels": [4], "encoder_layers": []},
    {"posterior": "full_covariance", "objective": "importance_weighted", "training_samples": 3},
    {"posterior": "flow", "kl": "sampled"},
    {"posterior": "full_covariance", "gradient": "sticking_the_landing", "kl": "sampled"},
    {
        "objective": "importance_weighted",
        "gradient": "doubly_reparametrised",
        "training_samples": 4,
    },
    {"prior": "mixture", "kl": "sampled"},
    {"prior": "vamp", "kl": "sampled", "training_samples": 2},
    {"second_latent_dim": 2, "kl": "sampled"},
    {"posterior": "categorical", "prior": "uniform"},
    {
        "posterior": "categorical",
        "prior": "uniform",
        "gradient": "score_function",
        "training_samples": 3,
    },
    {"posterior": "categorical", "prior": "uniform", "gradient": "gumbel_softmax"},
]


@pytest.mark.parametrize("changes", MODELS, ids=str)
@pytest.mark.usefixtures("deterministic")
def test_the_traced_step_has_the_bits_of_the_untraced_one(toy, changes):
    training = toy["training"](**changes)
    vae, spec, batches = training.vae, training.spec, training.taken.batches
    step = traceable_gradient(vae, spec, training.flat)
    beta = torch.tensor(spec.beta, dtype=vae.dtype)
    traced = make_fx(step)(training.flat.values, *batches.of(0), beta)
    for other in range(3):  # of images, noise and parameters that were not there while tracing
        training.advance()
        x, noise = batches.of(other)
        eager = eager_gradient(vae, spec)(x, noise, spec.beta)
        assert torch.equal(traced(training.flat.values, x, noise, beta), eager)
        assert eager.abs().max() > 0


@pytest.fixture
def compiled_from_the_first_step(monkeypatch):
    monkeypatch.setattr(compiled, "STEPS_WORTH_COMPILING", 1)


@pytest.mark.usefixtures("compiled_from_the_first_step", "deterministic")
def test_a_compiled_training_is_the_other_but_for_the_last_digits_and_goes_on_exactly(toy):
    changes = {"posterior": "flow", "kl": "sampled", "likelihood": "categorical"}
    straight, eager = toy["trained"](**changes), toy["trained"](**changes, compile=False)
    torch.testing.assert_close(straight.flat.values, eager.flat.values, rtol=1e-10, atol=1e-10)
    assert not torch.equal(straight.flat.values, eager.flat.values)
    first, second = toy["training"](**changes), toy["training"](**changes)
    first.advance()
    second.load_state(deserialise(serialise(first.state())))
    toy["train"](second)
    assert torch.equal(second.flat.values, straight.flat.values)


@pytest.mark.usefixtures("compiled_from_the_first_step")
def test_compiled_shares_sum_to_the_gradient_of_the_global_batch(toy):
    whole, *shares = (
        toy["training"](rank=rank, size=size) for rank, size in [(0, 1), (0, 2), (1, 2)]
    )
    buffers = [one.taken.gradient(*one.taken.batches.of(3), 1.0) for one in (whole, *shares)]
    torch.testing.assert_close(buffers[1] + buffers[2], buffers[0], rtol=1e-12, atol=1e-12)


@pytest.mark.usefixtures("compiled_from_the_first_step")
def test_a_machine_without_a_compiler_is_told_so(toy, monkeypatch, tmp_path):
    monkeypatch.setattr(torch._inductor.config.cpp, "cxx", (str(tmp_path / "none"),))
    with pytest.raises(SpecError, match=r"^compile: .*say compile: false"):
        toy["training"](latent_dim=3)


def test_what_is_compiled_is_decided_by_the_specification_alone(toy):
    cpu = torch.device("cpu")
    spec, not_asked = toy["spec"](), toy["spec"](compile=False)
    steps = compiled.STEPS_WORTH_COMPILING
    assert compiled.is_worth_compiling(spec, steps, cpu)
    assert not compiled.is_worth_compiling(spec, steps - 1, cpu)
    assert not compiled.is_worth_compiling(not_asked, steps, cpu)
