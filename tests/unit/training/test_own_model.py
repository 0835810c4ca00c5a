"""Models that users write: the same numbers as built-in ones, and what is refused."""

import itertools
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import own_models
from elboflow.vae.annealing.bounds import bounds
from elboflow.vae.data import ImageShape
from elboflow.vae.measure.estimate import estimate_elbo, estimate_log_likelihood, image_noise
from elboflow.vae.measure.rate_parts import rate_parts
from elboflow.vae.model.draws import draw
from elboflow.vae.model.make import make_model
from elboflow.vae.model.networks import VAE
from elboflow.vae.model.own.check import require_fit
from elboflow.vae.model.own.module import OwnModelError
from elboflow.vae.model.simulation import FIRST_IMAGE, simulate
from elboflow.vae.noise import Purpose
from elboflow.vae.spec import BoundsSpec, SpecError, TrainingSpec
from elboflow.vae.training.objectives import objective
from elboflow.vae.training.training import Training

FILE = Path(own_models.__file__)
SHAPE = ImageShape(3, 4, 1, 16)
INJECTED = ["Plain", "FullRank", "LowRank", "Heavy", "Squashed", "Ladder", "Grey", "Levels"]
OBSERVES = {
    "Grey": "unit",
    "OtherScale": "unit",
    "Scaled": "unit",
    "Levels": "levels",
    "OneLevelShort": "levels",
}


def spec_of(name: str, **changes: Any) -> TrainingSpec:
    keys = {"precision": "float64", "batch_size": 10, "epochs": 2, "dataset": "toy"}
    observes = OBSERVES.get(name, "binary")
    return TrainingSpec(model=f"{FILE}:{name}", observes=observes, **{**keys, **changes})


def own(name: str, seed: int = 1, **changes: Any) -> Any:
    model = make_model(spec_of(name, **changes), SHAPE)
    model.initialise(seed, torch.full((own_models.PIXELS,), 0.4))
    return model


def images(model: Any, count: int = 6) -> torch.Tensor:
    draws = np.random.default_rng(3)
    most = {"binary": 1, "unit": 16, "levels": 16}[model.likelihood.observes]
    x = torch.from_numpy(draws.integers(0, most + 1, (count, own_models.PIXELS))).double()
    return x / 16 if model.likelihood.observes == "unit" else x


def built_in(like: Any) -> VAE:
    """The built-in VAE with the weights of Plain."""
    sizes = {"latent_dim": 2, "encoder_layers": [8], "decoder_layers": [8]}
    vae = VAE(TrainingSpec(precision="float64", **sizes), SHAPE)
    theirs = like.state_dict()
    names = {
        "encoder.0": "encoder.0",
        "posterior.mean": "mean",
        "posterior.log_sd": "log_sd",
        "decoder.0": "decoder.0",
        "output": "decoder.2",
    }
    found = {}
    for name in vae.state_dict():
        layer, _, kind = name.rpartition(".")
        found[name] = theirs[f"{names[layer]}.{kind}"]
    vae.load_state_dict(found)
    return vae


def test_own_model_has_the_numbers_of_the_built_in_one() -> None:
    model = own("Plain")
    vae, x = built_in(model), images(model)
    noise = [image_noise(m, 1, Purpose.ELBO, range(6)) for m in (model, vae)]
    with torch.no_grad():
        ours, theirs = (
            estimate_elbo(m, x, m.encode(x), n, 20, 7)
            for m, n in zip((model, vae), noise, strict=True)
        )
        weights, expected = (
            estimate_log_likelihood(m, x, m.encode(x), n, 200, 50).log_weights
            for m, n in zip((model, vae), noise, strict=True)
        )
    torch.testing.assert_close(ours.elbo, theirs.elbo, rtol=0, atol=1e-11)
    torch.testing.assert_close(ours.rate, theirs.rate, rtol=0, atol=1e-12)
    torch.testing.assert_close(weights, expected, rtol=0, atol=1e-11)
    found, wanted = (
        bounds(m, BoundsSpec(ais_temperatures=5, ais_chains=4), 1, range(6), x)
        for m in (model, vae)
    )
    torch.testing.assert_close(found["ais_nats"], wanted["ais_nats"], rtol=0, atol=1e-9)


@pytest.mark.parametrize("name", [*INJECTED, "Positive"])
def test_draws_weigh_what_their_density_says(name: str) -> None:
    """The density that a draw comes with is that of the distribution: E p(z) / q(z) = 1."""
    model = own(name)
    x = images(model)
    with torch.no_grad():
        noise = image_noise(model, 2, Purpose.ELBO, range(6))(0, 20_000)
        drawn = draw(model, x, noise)
        again = model.encode(x).log_prob(model.encode(x).sample(noise)[0])
    torch.testing.assert_close(drawn.log_posterior, again)
    weights = (drawn.log_prior - drawn.log_posterior).exp()
    error = weights.std(0) / len(weights) ** 0.5
    assert bool(((weights.mean(0) - 1).abs() < 5 * error + 0.02).all())


@pytest.mark.parametrize("name", INJECTED)
def test_injected_noise_does_not_know_the_other_images(name: str) -> None:
    model = own(name)
    x = images(model)
    noise = image_noise(model, 1, Purpose.ELBO, range(6))(0, 3)
    assert model.noise == "injected"
    with torch.no_grad():
        together = model.encode(x).sample(noise)[0]
        alone = model.encode(x[2:4]).sample(noise[:, 2:4])[0]
    torch.testing.assert_close(together[:, 2:4], alone, rtol=0, atol=1e-12)


def test_other_noise_is_seeded_image_by_image() -> None:
    model = own("Positive")
    x = images(model)
    noise = image_noise(model, 1, Purpose.ELBO, range(6))(0, 3)
    assert model.noise == "seeded"
    with torch.no_grad():
        first, again = (model.encode(x).sample(noise)[0] for _ in range(2))
    assert torch.equal(first, again)
    assert len(first[0].unique()) == first[0].numel()


def test_groups_drawn_in_either_order_lie_in_z_as_in_the_prior() -> None:
    model = own("Ladder")
    x = images(model)
    noise = image_noise(model, 1, Purpose.ELBO, range(6))(0, 4)
    with torch.no_grad():
        z, log_q = model.encode(x).sample(noise)
        module = model.own
        h = module.encoder(x)
        z2, z1 = z[..., :1], z[..., 1:]
        first = module.normal(module.mean(h), module.log_sd(h).exp()).log_prob(z1)
        mean = module.up(torch.cat([z1, h.expand(4, -1, -1)], -1))
        expected = first + module.normal(mean, 0.7).log_prob(z2)
        prior = module.normal(torch.zeros(1), torch.ones(1)).log_prob(z2)
        prior = prior + module.normal(module.down(z2), 0.5).log_prob(z1)
    torch.testing.assert_close(log_q, expected)
    torch.testing.assert_close(model.prior.log_prob(z), prior)


def test_log_prob_without_latents_is_exact() -> None:
    """Over all 2^12 images probabilities add to 1, and every estimate is log p(x) itself."""
    model = own("Autoregressive")
    every = torch.tensor(list(itertools.product((0.0, 1.0), repeat=own_models.PIXELS))).double()
    with torch.no_grad():
        noise = image_noise(model, 1, Purpose.IMPORTANCE, range(6))
        x = every[:6]
        weights = estimate_log_likelihood(model, x, model.encode(x), noise, 200, 50)
        log_p = model.own.log_prob(every.view(-1, 1, 3, 4))
    assert math.isclose(float(log_p.exp().sum()), 1, abs_tol=1e-12)
    torch.testing.assert_close(weights.log_likelihood, log_p[:6])
    assert model.latent_dim == 0 and not model.has_latents
    z, made = simulate(model, 1, range(FIRST_IMAGE, FIRST_IMAGE + 5))
    assert z.shape == (5, 0) and made.shape == (5, own_models.PIXELS)
    assert set(made.unique().tolist()) <= {0.0, 1.0}


@pytest.mark.parametrize("name", [*INJECTED, "Positive", "Autoregressive"])
def test_trains_and_resumes_to_the_bit(name: str) -> None:
    def training() -> Training:
        model = own(name)
        require_fit(model, images(model), trains=True)
        grey = np.random.default_rng(0).integers(0, 17, (35, own_models.PIXELS)).astype(np.uint8)
        frozen = images(model, 9) * (16 if name == "Grey" else 1)
        place = (0, 1, lambda _: None)
        return Training(model, model.spec, 1, grey, 16, frozen.numpy().astype(np.uint8), *place)

    whole, half = training(), training()
    for _ in range(6):
        whole.advance()
    for _ in range(3):
        half.advance()
    state = half.state()
    other = training()
    other.load_state(state)
    for _ in range(3):
        other.advance()
    assert torch.equal(whole.flat.values, other.flat.values)
    assert not torch.equal(whole.flat.values, training().flat.values)
    whole.validation.rate_and_distortion()


@pytest.mark.parametrize("name", ["Plain", "FullRank"])
def test_gaussian_posteriors_have_all_diagnostics(name: str) -> None:
    model = own(name)
    assert rate_parts(model, 1, images(model, 30)) is not None
    assert model.family.searched


@pytest.mark.parametrize(
    ("name", "real"),
    [
        *((name, True) for name in ("Plain", "FullRank", "LowRank", "Heavy", "Ladder")),
        *((name, False) for name in ("Squashed", "Positive", "Discrete", "Autoregressive")),
    ],
)
def test_ais_is_for_a_z_of_any_real_numbers(name: str, real: bool) -> None:
    assert own(name).any_z_has_a_density == real


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("BatchNorm", "posterior(x) of an image changes with the others"),
        ("SumOverTheBatch", "likelihood(z) of an image changes with the others"),
        ("Deaf", "posterior(x) is the same for different images"),
        ("Idle", "no gradient reaches spare.weight, spare.bias"),
        ("Dropout", "the same images and noise give other values"),
        ("NotAnImage", "event_shape (12,); its event must be the image"),
        ("NotIndependent", "event_shape is () and batch_shape (2,): wrap it"),
        ("OtherScale", "has pixels around 127"),
        ("OneLevelShort", "have values from 0 to 16"),
        ("Discrete", "posterior(x) has no rsample"),
        ("Seedless", "its weights differ at the same seed"),
        ("Raises", "posterior(x) of x of shape (2, 1, 3, 4) failed: RuntimeError"),
        ("Returns", "likelihood(z) returns a Tensor"),
        ("NoGradient", "parameters that need no gradient must be buffers: mean.weight"),
        ("Infinite", "log p(x | z) is not finite"),
        ("Overwrites", "it overwrites the images that it is given"),
        ("OverwritesZ", "it overwrites z that it is given"),
        ("Squeezes", "is there a squeeze()"),
        ("Scaled", "is the log-determinant of a change of scale missing?"),
        ("Missing", "the file has no class Missing"),
        ("flat", "building it failed: TypeError"),
    ],
)
def test_refused_in_one_line(name: str, said: str) -> None:
    with pytest.raises(OwnModelError) as refused:
        model = own(name)
        require_fit(model, images(model), trains=True)
    lines = str(refused.value).splitlines()
    assert said in lines[0]
    assert all(line.startswith(f"{FILE}:{name}: ") for line in lines)


def test_a_learned_prior_has_a_sampled_rate_and_no_free_bits() -> None:
    """Its KL is not that to N(0, I), which it may be at first."""
    model = own("LearnedPrior")
    x = images(model)
    noise = image_noise(model, 1, Purpose.ELBO, range(6))(0, 50_000)
    assert draw(model, x, noise[:1]).analytic_rate is None
    with torch.no_grad():
        model.own.width.fill_(0.7)
        drawn = draw(model, x, noise)
        q = model.own.posterior(x.view(-1, 1, 3, 4))
        exact = torch.distributions.kl_divergence(q, model.own.prior())
        assert drawn.analytic_rate is None
    error = drawn.sampled_rates.std(0) / len(noise) ** 0.5
    assert bool(((drawn.sampled_rates.mean(0) - exact).abs() < 5 * error).all())
    spec = spec_of("LearnedPrior", free_bits=0.1)
    with pytest.raises(SpecError, match="free_bits"):
        objective(model, spec, x, noise[:1], 1.0)


def test_an_average_over_pixels_is_no_probability() -> None:
    spec = spec_of("Averages", model_options={"height": 6, "width": 6})
    model = make_model(spec, ImageShape(6, 6, 1, 16))
    with pytest.raises(OwnModelError, match="are pixels averaged in place of added"):
        require_fit(model, torch.eye(36).double()[:6], trains=True)


def test_other_observed_kind_is_refused() -> None:
    for name, observes in (("Plain", "unit"), ("Grey", "binary"), ("Plain", "levels")):
        with pytest.raises(OwnModelError, match="observe"):
            make_model(TrainingSpec(model=f"{FILE}:{name}", observes=observes), SHAPE)


def test_discrete_latents_can_be_measured() -> None:
    model = own("Discrete")
    require_fit(model, images(model), trains=False)
    x = images(model)
    noise = image_noise(model, 1, Purpose.ELBO, range(6))
    with torch.no_grad():
        found = estimate_log_likelihood(model, x, model.encode(x), noise, 4000, 500)
        every = torch.tensor(list(itertools.product((0.0, 1.0), repeat=2))).double()
        joint = model.likelihood.log_prob(model.decode(every[:, None].expand(-1, 6, -1)), x)
    exact = joint.logsumexp(0) - math.log(4)
    assert bool(((found.log_likelihood - exact).abs() < 5 * found.monte_carlo_error + 1e-6).all())
