"""Every posterior: densities that integrate to one, draws that have them, and closed-form KLs."""

import pytest
import torch
from torch.distributions import MultivariateNormal, Normal, kl_divergence

from elboflow.vae.choices import POSTERIORS
from elboflow.vae.data import mean_image
from elboflow.vae.model.gaussian import FullCovariance, Gaussian
from elboflow.vae.model.networks import VAE
from elboflow.vae.model.priors import StandardNormal

CONTINUOUS = [name for name, choice in POSTERIORS.items() if not choice.discrete]
MEAN = torch.tensor([[0.5, -1.0, 2.0], [0.0, 0.3, -0.2]], dtype=torch.float64)
FACTOR = torch.tensor(
    [
        [[0.3, 0.0, 0.0], [0.4, 1.5, 0.0], [-0.2, 0.7, 1.0]],
        [[1.0, 0.0, 0.0], [-1.0, 0.5, 0.0], [0.3, 0.0, 2.0]],
    ],
    dtype=torch.float64,
)


def noise(*shape, seed=1):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, dtype=torch.float64, generator=generator)


def shaken(toy, posterior, **changes):
    """A model whose posterior is far from where it starts, and q(z | x) of three images."""
    vae = toy["vae"](posterior=posterior, kl="sampled", **changes)
    with torch.no_grad():
        for name, parameter in vae.posterior.named_parameters():
            parameter.add_(0.4 * noise(*parameter.shape, seed=len(name)))
    return vae, vae.encode(torch.from_numpy(toy["binary"](3)).double())


@pytest.fixture(params=CONTINUOUS)
def posterior(request):
    if request.param == "flow":
        pytest.importorskip("zuko")
    return request.param


@pytest.mark.promise(
    "elbo",
    "the density of each family of q integrates to 1",
    "2-D z by quadrature: 0.002",
)
@torch.no_grad()
def test_the_density_integrates_to_one(toy, posterior):
    _, q = shaken(toy, posterior)
    nodes = torch.linspace(-25, 25, 701, dtype=torch.float64)
    z = torch.cartesian_prod(nodes, nodes)[:, None].expand(-1, 3, -1)
    mass = q.log_prob(z).exp().sum(0) * (50 / 700) ** 2
    torch.testing.assert_close(mass, torch.ones_like(mass), rtol=0, atol=2e-3)


@torch.no_grad()
def test_a_draw_has_the_density_of_its_place(toy, posterior):
    _, q = shaken(toy, posterior, latent_dim=4)
    z, log_q = q.sample(noise(50, 3, 4))
    assert (z.shape, log_q.shape) == ((50, 3, 4), (50, 3))
    torch.testing.assert_close(log_q, q.log_prob(z), rtol=1e-9, atol=1e-9)


def test_the_density_is_that_of_the_change_of_variables(toy, posterior):
    """log q(z) = log N(epsilon; 0, I) - log |det dz / d epsilon|, image by image."""
    _, q = shaken(toy, posterior, latent_dim=4)
    epsilon = noise(1, 3, 4)
    jacobian = torch.autograd.functional.jacobian(lambda e: q.sample(e)[0], epsilon)
    of_image = torch.stack([jacobian[0, i, :, 0, i] for i in range(3)])
    expected = StandardNormal().log_prob(epsilon[0]) - torch.linalg.slogdet(of_image).logabsdet
    torch.testing.assert_close(q.sample(epsilon)[1][0], expected)
    others = jacobian.sum((0, 2, 3, 5)) - torch.diag(jacobian.sum((0, 2, 3, 5)).diag())
    assert others.abs().max() == 0


@torch.no_grad()
def test_the_mean_is_that_of_draws(toy, posterior):
    _, q = shaken(toy, posterior)
    z, _ = q.sample(noise(100_000, 3, 2))
    error = z.std(0) / 200**0.5 if posterior == "flow" else z.std(0) / 100_000**0.5
    assert ((z.mean(0) - q.mean).abs() < 5 * error).all()


@pytest.mark.promise(
    "rate",
    "the mean log q(z|x) / p(z) of draws, for each family of q",
    "60,000 draws: 5 standard errors",
)
def test_a_closed_form_is_the_mean_log_ratio_of_draws_and_so_is_its_gradient(toy, posterior):
    vae, q = shaken(toy, posterior)
    if not POSTERIORS[posterior].closed_form_kl:
        assert q.kl() is None
        return
    bias = vae.posterior.log_sd.bias
    (formula,) = torch.autograd.grad(q.kl().sum(), bias, retain_graph=True)
    ratios, gradients = [], []
    for seed in range(30):
        z, log_q = q.sample(noise(2000, 3, 2, seed=seed))
        ratio = (log_q - StandardNormal().log_prob(z)).mean(0)
        ratios.append(ratio.detach())
        gradients += torch.autograd.grad(ratio.sum(), bias, retain_graph=True)
    for drawn, exact in ((ratios, q.kl()), (gradients, formula)):
        values = torch.stack(drawn)
        error = values.std(0) / len(values) ** 0.5
        assert ((values.mean(0) - exact).abs() < 5 * error).all()


def test_full_covariance_is_torchs_multivariate_normal():
    q = FullCovariance(MEAN, FACTOR)
    reference = MultivariateNormal(MEAN, scale_tril=FACTOR)
    z = noise(7, 2, 3)
    torch.testing.assert_close(q.log_prob(z), reference.log_prob(z))
    standard = MultivariateNormal(torch.zeros(3).double(), torch.eye(3).double())
    torch.testing.assert_close(q.kl(), kl_divergence(reference, standard))
    assert q.kl_per_dimension() is None


@pytest.mark.parametrize("full", [False, True])
def test_each_z_is_weighed_under_each_distribution(full):
    q = FullCovariance(MEAN, FACTOR) if full else Gaussian(MEAN, noise(2, 3))
    z = noise(4, 5, 3)
    found = q.log_prob_of_each(z)
    assert found.shape == (4, 5, 2)
    torch.testing.assert_close(found, q.log_prob(z.unsqueeze(-2)))


def test_multiplying_out_costs_no_digits_of_narrow_distributions():
    """In float32 the terms would be 1e8 and their sum right to a few units."""
    mean, log_sd = noise(6, 50).float(), torch.full((6, 50), -8.0)
    z = mean + 1e-3 * noise(6, 50, seed=2).float()
    found = Gaussian(mean, log_sd).log_prob_of_each(z).diagonal()
    expected = Gaussian(mean.double(), log_sd.double()).log_prob(z.double())
    torch.testing.assert_close(found, expected.float(), rtol=1e-6, atol=0)


def test_with_a_diagonal_factor_it_is_the_diagonal_gaussian():
    log_sd = noise(2, 3)
    diagonal, full = Gaussian(MEAN, log_sd), FullCovariance(MEAN, torch.diag_embed(log_sd.exp()))
    epsilon = noise(5, 2, 3)
    for one, other in zip(diagonal.sample(epsilon), full.sample(epsilon), strict=True):
        torch.testing.assert_close(one, other)
    torch.testing.assert_close(diagonal.kl(), full.kl())
    sd = log_sd.exp()
    torch.testing.assert_close(
        diagonal.kl(), kl_divergence(Normal(MEAN, sd), Normal(0 * MEAN, 1 + 0 * sd)).sum(-1)
    )


@torch.no_grad()
def test_all_begin_as_the_same_diagonal_gaussian_on_every_machine(toy, posterior):
    torch.manual_seed(1)
    one = toy["vae"](posterior=posterior)
    torch.manual_seed(2)
    other = toy["vae"](posterior=posterior)
    for name, value in one.state_dict().items():
        assert torch.equal(value, other.state_dict()[name]), name
    q = one.encode(torch.from_numpy(toy["binary"](3)).double())
    gaussian = q.base if posterior == "flow" else q
    epsilon = noise(4, 3, 2)
    log_sd = (
        gaussian.factor.diagonal(dim1=-2, dim2=-1).log()
        if posterior == "full_covariance"
        else gaussian.log_sd
    )
    for drawn, expected in zip(
        q.sample(epsilon), Gaussian(gaussian.mean, log_sd).sample(epsilon), strict=True
    ):
        torch.testing.assert_close(drawn, expected)


@pytest.mark.usefixtures("deterministic")
def test_a_trained_model_is_rebuilt_from_its_parameters(toy, posterior):
    """Those of the best epoch, with all that the layers hold besides parameters."""
    training = toy["trained"](posterior=posterior, kl="sampled", patience=3, epochs=30)
    assert training.metrics[-1]["train_elbo_nats"] > training.metrics[0]["train_elbo_nats"]
    again = VAE(toy["spec"](posterior=posterior), training.vae.shape)
    again.initialise(9, mean_image(toy["grey"](35), 16))
    again.load_state_dict(training.kept_parameters())
    moved = again.posterior.state_dict()
    start = toy["vae"](posterior=posterior).posterior.state_dict()
    assert all(
        not torch.equal(value, start[name])
        for name, value in moved.items()
        if value.dtype.is_floating_point
    )


@torch.no_grad()
def test_it_can_do_what_is_declared(toy, posterior):
    vae, q = shaken(toy, posterior)
    choice, z = POSTERIORS[posterior], noise(4, 5, 2)
    assert vae.posterior.choice == choice
    terms = q.kl_per_dimension()
    assert (terms is not None) == choice.kl_per_dimension
    if terms is not None:
        torch.testing.assert_close(terms.sum(-1), q.kl())
    if choice.weighs_any_z:
        expected = torch.stack([q.log_prob(at.expand(1, 3, 2))[0] for at in z.view(-1, 2)])
        torch.testing.assert_close(q.log_prob_of_each(z), expected.view(4, 5, 3))
        assert not q.detach().log_prob(z[:, :3]).requires_grad
        assert q.nearer_to_prior(0.8).log_prob(z[:, :3]).shape == (4, 3)
    offsets = q.offsets()
    assert bool(offsets) == choice.searched
    if offsets:
        torch.testing.assert_close(q.at(offsets).log_prob(z[:, :3]), q.log_prob(z[:, :3]))
        moved = q.at([offset + 0.1 for offset in offsets])
        assert not torch.allclose(moved.log_prob(z[:, :3]), q.log_prob(z[:, :3]))
