"""The models of examples/: that each is the density that it says, on small weights made here."""

import importlib.util
import itertools
import math
from pathlib import Path
from types import ModuleType

import pytest
import torch
from torch import Tensor, nn
from torch.distributions import Distribution
from torch.nn import functional

from elboflow import Groups

EXAMPLES = Path(__file__).parents[3] / "examples"


def example(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def with_large_weights(model: nn.Module, sd: float = 0.5) -> nn.Module:
    """Weights with which every input matters, the same in each test."""
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(sd * torch.randn(parameter.shape, generator=generator))
    return model.double().requires_grad_(False)


def all_binary(*shape: int) -> Tensor:
    pixels = list(itertools.product([0.0, 1.0], repeat=math.prod(shape)))
    return torch.tensor(pixels, dtype=torch.float64).view(-1, *shape)


def grid(ends: float, steps: int) -> tuple[Tensor, float]:
    """Points of a square around 0, shape (steps^2, 2), and the area of each."""
    axis = torch.linspace(-ends, ends, steps, dtype=torch.float64)
    return torch.cartesian_prod(axis, axis), float(axis[1] - axis[0]) ** 2


@pytest.fixture
def made() -> nn.Module:
    return with_large_weights(example("autoregressive").MADE([1, 2, 3], width=20))


@pytest.fixture
def flow() -> nn.Module:
    return with_large_weights(example("flow").CouplingFlow([1, 1, 2], couplings=4, width=8))


@pytest.fixture
def ladder() -> nn.Module:
    return with_large_weights(example("ladder").Ladder([1, 2, 2], z1=1, z2=1, width=6), sd=0.25)


def pythae_vae(**options: object) -> nn.Module:
    return with_large_weights(example("pythae_vae").VAE([1, 2, 3], latent_dim=2, **options))


def test_autoregressive_probabilities_of_all_images_sum_to_one(made):
    assert made.log_prob(all_binary(1, 2, 3)).exp().sum() == pytest.approx(1, abs=1e-12)


def test_autoregressive_probability_of_each_pixel_depends_on_all_before_it(made):
    x = torch.full((1, 6), 0.5, dtype=torch.float64)
    jacobian = torch.autograd.functional.jacobian(made.layers, x)[0, :, 0]
    assert torch.equal(jacobian != 0, torch.ones(6, 6, dtype=torch.bool).tril(-1))


def test_autoregressive_draws_are_as_frequent_as_their_probabilities(made):
    torch.manual_seed(0)
    draws, images = 20000, all_binary(1, 2, 3)
    sampled = (made.sample(draws)[:, None] == images).all((-1, -2, -3)).sum(0)
    expected = draws * made.log_prob(images).exp()
    chi_squared = ((sampled - expected).square() / expected)[expected > 5].sum()
    assert sampled.sum() == draws
    assert chi_squared < 63 + 5 * math.sqrt(2 * 63)


def test_flow_density_integrates_to_one(flow):
    x, area = grid(30, 601)
    assert flow.log_prob(x.view(-1, 1, 1, 2)).exp().sum() * area == pytest.approx(1, abs=1e-5)


def test_flow_draws_have_the_mean_of_its_density(flow):
    torch.manual_seed(0)
    x, area = grid(30, 601)
    mean = (flow.log_prob(x.view(-1, 1, 1, 2)).exp() * area) @ x
    draws = flow.sample(20000).flatten(1)
    error = draws.std(0) / math.sqrt(len(draws))
    assert ((draws.mean(0) - mean).abs() < 5 * error).all()


def test_flow_density_is_bounded_whatever_the_weights(flow):
    with torch.no_grad():
        for coupling in flow.couplings:
            coupling.layers[-1].bias.fill_(100)
    x, _ = grid(3, 301)
    scaled_twice = 2 * len(flow.couplings) // 2  # two numbers, each in half of the couplings
    most = scaled_twice * flow.couplings[0].limit - math.log(2 * math.pi)
    assert flow.log_prob(x.view(-1, 1, 1, 2)).max() <= most + 1e-9


def test_convolutional_likelihood_of_all_images_sums_to_one():
    model = with_large_weights(example("convolutional_vae").ConvolutionalVAE([1, 4, 4], 2, width=2))
    z = torch.tensor([[0.3, -1.2]], dtype=torch.float64)
    assert model.likelihood(z).log_prob(all_binary(1, 4, 4)).exp().sum() == pytest.approx(1)
    posterior = model.posterior(all_binary(1, 4, 4)[:5])
    assert (posterior.batch_shape, posterior.event_shape) == ((5,), (2,))
    assert (model.prior().batch_shape, model.prior().event_shape) == ((), (2,))


def log_prob_of(groups: Groups, z: Tensor) -> Tensor:
    """Of z (..., 2): one number of z2 and one of z1."""
    values = {"z2": z[..., :1], "z1": z[..., 1:]}
    return sum(
        group.log_prob(value) for _, group, value in groups.walk(lambda name, _: values[name])
    )


def test_ladder_densities_of_latents_integrate_to_one(ladder):
    z, area = grid(15, 601)
    x = all_binary(1, 2, 2)[7:8]
    assert log_prob_of(ladder.prior(), z).exp().sum() * area == pytest.approx(1, abs=1e-4)
    posterior = log_prob_of(ladder.posterior(x), z[:, None])[:, 0]  # of several draws of one image
    assert posterior.exp().sum() * area == pytest.approx(1, abs=1e-4)


def test_ladder_by_importance_sampling_has_the_log_probability_of_the_plane(ladder):
    torch.manual_seed(0)
    x, draws = all_binary(1, 2, 2), 4000
    z, area = grid(15, 601)
    joint = [ladder.likelihood(z).log_prob(image) for image in x]
    exact = (torch.stack(joint) + log_prob_of(ladder.prior(), z) + math.log(area)).logsumexp(1)
    assert exact.exp().sum() == pytest.approx(1, abs=1e-4)

    posterior = ladder.posterior(x)
    drawn = {name: z for name, _, z in posterior.walk(lambda name, q: first_of(q, draws, name))}
    z = torch.cat([drawn["z2"], drawn["z1"]], dim=-1)  # (K, B, 2)
    likelihood = ladder.likelihood(z.flatten(0, 1)).log_prob(x.repeat(draws, 1, 1, 1))
    weights = log_prob_of(ladder.prior(), z) - log_prob_of(posterior, z)
    weights = weights + likelihood.view(draws, -1)
    error = (weights.softmax(0).square().sum(0) - 1 / draws).sqrt()
    estimate = weights.logsumexp(0) - math.log(draws)
    assert ((estimate - exact).abs() < 5 * error + 1e-4).all()


def first_of(q: Distribution, draws: int, name: str) -> Tensor:
    """K draws of z2 for each image; of z1 one for each of these."""
    return q.sample((draws,)) if name == "z2" else q.sample()


def test_pythae_names_and_shapes_are_those_of_its_file():
    released = {  # of pythae 0.1.2, VAE(VAEConfig(input_dim=(1, 2, 3), latent_dim=2))
        "decoder.layers.0.0.weight": (512, 2),
        "decoder.layers.0.0.bias": (512,),
        "decoder.layers.1.0.weight": (6, 512),
        "decoder.layers.1.0.bias": (6,),
        "encoder.layers.0.0.weight": (512, 6),
        "encoder.layers.0.0.bias": (512,),
        "encoder.embedding.weight": (2, 512),
        "encoder.embedding.bias": (2,),
        "encoder.log_var.weight": (2, 512),
        "encoder.log_var.bias": (2,),
    }
    state = pythae_vae().state_dict()
    assert {name: tuple(weights.shape) for name, weights in state.items()} == released


@pytest.mark.parametrize("loss", ["bce", "mse"])
def test_pythae_densities_are_those_of_its_get_nll(loss):
    """pythae's formulas, with the constants in z that it lets cancel."""
    model, x = pythae_vae(reconstruction_loss=loss), all_binary(1, 2, 3)[20:25]
    z = torch.linspace(-1, 1, 10, dtype=torch.float64).view(5, 2)
    weights = model.state_dict()

    def linear(name: str, inputs: Tensor) -> Tensor:
        return functional.linear(inputs, weights[f"{name}.weight"], weights[f"{name}.bias"])

    features = linear("encoder.layers.0.0", x.flatten(1)).relu()
    mean, log_variance = (linear(f"encoder.{name}", features) for name in ("embedding", "log_var"))
    log_q = -0.5 * (log_variance + (z - mean) ** 2 / log_variance.exp()).sum(-1)
    log_p = -0.5 * (z**2).sum(-1)
    means = linear("decoder.layers.1.0", linear("decoder.layers.0.0", z).relu()).sigmoid()
    if loss == "bce":
        log_x = -functional.binary_cross_entropy(means, x.flatten(1), reduction="none").sum(-1)
    else:
        square = functional.mse_loss(means, x.flatten(1), reduction="none").sum(-1)
        log_x = -0.5 * square - 6 / 2 * math.log(2 * math.pi)

    constant = math.log(2 * math.pi)  # two latents, half of it each
    assert torch.allclose(model.posterior(x).log_prob(z), log_q - constant)
    assert torch.allclose(model.prior().log_prob(z), log_p - constant)
    assert torch.allclose(model.likelihood(z).log_prob(x), log_x)
