"""Every prior: a density that integrates to one, draws that have it, and log p(x) under it."""

import math

import pytest
import torch
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

from elboflow.vae.choices import POSTERIORS, PRIORS
from elboflow.vae.measure.estimate import estimate_elbo, estimate_log_likelihood, image_noise
from elboflow.vae.model.priors import Mixture
from elboflow.vae.noise import Purpose
from elboflow.vae.spec import SpecError
from elboflow.vae.training.objectives import draw, elbo

CONTINUOUS = {name: choice for name, choice in PRIORS.items() if not choice.discrete}
FAMILIES = [
    name for name, choice in POSTERIORS.items() if choice.weighs_any_z and not choice.discrete
]
# Each that is declared, those of posteriors with every family that they may be of.
CASES = [
    (prior, posterior)
    for prior, choice in CONTINUOUS.items()
    for posterior in (FAMILIES if choice.of_posteriors else FAMILIES[:1])
]
each_prior = pytest.mark.parametrize(("prior", "posterior"), CASES)
each_sampled = pytest.mark.parametrize(
    ("prior", "posterior"), [case for case in CASES if not PRIORS[case[0]].closed_form_kl]
)


def noise(*shape, seed=1):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, dtype=torch.float64, generator=generator)


def shaken(toy, prior, posterior, **changes):
    """A model whose prior and posterior are far from where they start."""
    vae = toy["vae"](prior=prior, posterior=posterior, kl="sampled", **changes)
    with torch.no_grad():
        for part in (vae.prior, vae.posterior, vae.encoder):
            for name, parameter in part.named_parameters():
                parameter.add_(0.2 * noise(*parameter.shape, seed=len(name)))
    return vae


def plane(width=12.0, nodes=301):
    """Nodes (nodes^2, 2) of the trapezoid rule, and the area of each."""
    line = torch.linspace(-width, width, nodes, dtype=torch.float64)
    return torch.cartesian_prod(line, line), (2 * width / (nodes - 1)) ** 2


@pytest.mark.promise(
    "rate",
    "the density of each prior integrates to 1",
    "2-D z by quadrature: 0.001",
)
@each_prior
@torch.no_grad()
def test_the_density_integrates_to_one(toy, prior, posterior):
    z, area = plane(nodes=601)
    mass = shaken(toy, prior, posterior).prior.log_prob(z).exp().sum() * area
    assert mass.item() == pytest.approx(1, abs=1e-3)


@each_prior
@torch.no_grad()
def test_draws_have_the_density(toy, prior, posterior):
    """Means of some functions of z, by draws and by quadrature."""
    vae = shaken(toy, prior, posterior)
    drawn = vae.prior.sample(noise(100_000, 2))
    z, area = plane()
    density = vae.prior.log_prob(z).exp() * area
    for function in (
        lambda z: z,
        lambda z: z.square(),
        lambda z: z.prod(-1, keepdim=True),
        lambda z: torch.sigmoid(5 * z - 2),
        lambda z: torch.cos(3 * z),
    ):
        values = function(drawn)
        expected = (density[:, None] * function(z)).sum(0)
        error = values.std(0) / len(values) ** 0.5
        assert ((values.mean(0) - expected).abs() < 5 * error + 2e-3).all()


@torch.no_grad()
def test_the_mixture_is_torchs():
    prior = Mixture(4, 3).double()
    for seed, parameter in enumerate(prior.parameters()):
        parameter.copy_(noise(*parameter.shape, seed=seed))
    reference = MixtureSameFamily(
        Categorical(logits=prior.logits), Independent(Normal(prior.mean, prior.log_sd.exp()), 1)
    )
    z = noise(5, 7, 3)
    torch.testing.assert_close(prior.log_prob(z), reference.log_prob(z))


@torch.no_grad()
def test_one_number_picks_the_component_and_is_normal_again():
    """Far components of one unit variance each: the draw says which was picked, and by what."""
    prior = Mixture(3, 1).double()
    prior.mean.copy_(torch.tensor([[-100.0], [0.0], [100.0]]))
    prior.logits.copy_(torch.tensor([0.2, 0.5, 0.3]).log())
    epsilon = noise(50_000, 1)
    z = prior.sample(epsilon)
    chosen = (z / 100).round()
    for value, share in ((-1, 0.2), (0, 0.5), (1, 0.3)):
        inside = z[chosen == value] - 100 * value
        error = (share * (1 - share) / len(z)) ** 0.5
        assert abs(len(inside) / len(z) - share) < 5 * error
        expected = torch.special.ndtr(inside.sort().values)
        uniform = (torch.arange(len(inside)) + 0.5) / len(inside)
        assert (expected - uniform).abs().max() < 2 / len(inside) ** 0.5  # Kolmogorov-Smirnov
    assert torch.isfinite(prior.sample(torch.tensor([[-40.0], [40.0]], dtype=torch.float64))).all()


@pytest.mark.promise(
    "log_likelihood, elbo",
    "each image agrees with the exact value",
    "mixture and VampPrior, 2-D z by quadrature: 5 standard errors and 0.002 nat",
)
@each_sampled
def test_importance_sampling_agrees_with_quadrature(toy, prior, posterior):
    vae, x = shaken(toy, prior, posterior), torch.from_numpy(toy["binary"](5)).double()
    z, area = plane()
    with torch.no_grad():
        q = vae.encode(x)
        weights = estimate_log_likelihood(
            vae, x, q, image_noise(vae, 0, Purpose.IMPORTANCE, range(5)), 2000, 500
        )
        bound = estimate_elbo(vae, x, q, image_noise(vae, 0, Purpose.ELBO, range(5)), 2000, 500)
        log_prior, outputs = vae.prior.log_prob(z)[:, None], vae.decode(z)[:, None]
        joint = torch.cat([log_prior + vae.likelihood.log_prob(outputs, one[None]) for one in x], 1)
        exact = joint.logsumexp(0) + math.log(area)
        log_q = q.log_prob(z[:, None].expand(-1, 5, -1))
        exact_elbo = (log_q.exp() * (joint - log_q)).nan_to_num().sum(0) * area
    assert ((weights.log_likelihood - exact).abs() < 5 * weights.monte_carlo_error + 2e-3).all()
    assert ((bound.elbo - exact_elbo).abs() < 5 * bound.monte_carlo_error + 2e-3).all()
    assert (bound.monte_carlo_error > 0).all()


@pytest.mark.usefixtures("deterministic")
@each_sampled
def test_training_moves_the_prior_and_raises_the_elbo(toy, prior, posterior):
    changes = {"prior": prior, "posterior": posterior, "kl": "sampled", "epochs": 25}
    training = toy["training"](**changes)
    start = {name: value.clone() for name, value in training.vae.prior.named_parameters()}
    toy["train"](training)
    assert training.metrics[-1]["train_elbo_nats"] > training.metrics[0]["train_elbo_nats"]
    moved = dict(training.vae.prior.named_parameters())
    assert all((moved[name] - value).abs().max() > 1e-3 for name, value in start.items())
    again = toy["vae"](seed=5, **changes)
    again.load_state_dict(training.kept_parameters())
    z = noise(4, 2)
    torch.testing.assert_close(again.prior.log_prob(z), training.vae.prior.log_prob(z))


def test_the_vamp_prior_is_the_mean_of_the_encoders_posteriors(toy):
    vae, z = shaken(toy, "vamp", "gaussian"), noise(6, 2)
    pseudo_inputs = vae.prior.logits.sigmoid()
    each = [vae.encode(image[None]).log_prob(z[:, None])[:, 0] for image in pseudo_inputs]
    expected = torch.stack(each).exp().mean(0).log()
    torch.testing.assert_close(vae.prior.log_prob(z), expected)
    gradients = torch.autograd.grad(
        vae.prior.log_prob(z).sum(), [vae.prior.logits, vae.encoder[0].weight]
    )
    assert all(gradient.abs().max() > 0 for gradient in gradients)
    names = [name for name, _ in vae.named_parameters()]
    assert sorted(name for name in names if name.startswith("prior")) == ["prior.logits"]


def test_pseudo_inputs_start_around_the_mean_image(toy):
    vae = toy["vae"](prior="vamp", prior_components=4000)
    standardised = vae.prior.logits - math.log(0.4 / 0.6)
    assert standardised.mean().abs() < 0.03
    assert standardised.std().item() == pytest.approx(1, abs=0.03)


@each_sampled
def test_there_is_no_analytic_kl(toy, prior, posterior):
    vae, x = shaken(toy, prior, posterior), torch.from_numpy(toy["binary"](2)).double()
    draws = draw(vae, x, noise(3, 2, 2))
    torch.testing.assert_close(elbo(draws).objective, elbo(draws, "sampled").objective)
    with pytest.raises(SpecError, match="no analytic one"):
        elbo(draws, "analytic")
    assert vae.kl_per_dimension(vae.encode(x)).isnan().all()
