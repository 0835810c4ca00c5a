"""The VAE of the chapter: its tables by quadrature, against formulas and estimates."""

import math

import numpy as np
import pytest
import torch

from elboflow.stages.chapter_vae import (
    MEASURED,
    decoded,
    encoder_elbo,
    evidence_csv,
    evidence_of,
    log_likelihood,
    shown_images,
)
from elboflow.vae.measure.quadrature import log_integral, log_prior, nodes
from elboflow.vae.training.objectives import draw, elbo


def test_a_decoder_that_ignores_z_has_the_evidence_of_independent_pixels(toy):
    vae, x = toy["vae"](), toy["binary"](3)
    with torch.no_grad():
        vae.output.weight.zero_()
        logits = vae.output.bias.numpy()
    expected = (x * logits - np.logaddexp(0, logits)).sum(1)
    axis = nodes(0.1)
    likelihood = log_likelihood(decoded(vae, axis), x)
    assert likelihood == pytest.approx(np.broadcast_to(expected[:, None, None], likelihood.shape))
    assert log_integral(likelihood + log_prior(axis), axis) == pytest.approx(expected, abs=1e-10)


@pytest.mark.promise(
    "chapter",
    "log p(x) and ELBO by quadrature agree with sampling",
    "20,000 samples: 5 standard errors",
)
def test_quadrature_agrees_with_estimates_from_samples(toy):
    """Within 5 standard errors, of 20000 samples."""
    vae, x = toy["vae"](), toy["binary"](4)
    measured = evidence_of(vae, x)
    noise = torch.randn(20_000, 4, 2, generator=torch.Generator().manual_seed(0)).double()
    with torch.no_grad():
        draws = draw(vae, torch.from_numpy(x).double(), noise)
        images = torch.from_numpy(x).double()
        likelihood = vae.likelihood.log_prob(vae.decode(noise), images)  # z from the prior
    root = math.sqrt(len(noise))
    estimate = (likelihood.logsumexp(0) - math.log(len(noise))).numpy()
    relative = ((likelihood - torch.from_numpy(estimate)).exp().std(0) / root).numpy()
    assert (np.abs(measured[:, 0] - estimate) < 5 * relative).all()
    spread = (draws.log_weights.std(0) / root).numpy()
    assert (np.abs(measured[:, 2] - elbo(draws, "sampled").elbo.numpy()) < 5 * spread).all()
    assert measured[:, 1] == pytest.approx(measured[:, 0], abs=1e-6), "half the nodes"
    assert (measured[:, 2] <= measured[:, 0] + 1e-9).all()
    assert (measured[:, 3] > -1e-9).all()


def test_the_elbo_of_an_encoder_that_gives_the_prior(toy):
    """Its rate is 0: the ELBO is the mean of log p(x | z) under the prior."""
    vae, x = toy["vae"](), toy["binary"](2)
    with torch.no_grad():
        for parameter in vae.posterior.parameters():
            parameter.zero_()
    axis = nodes(0.1)
    likelihood = log_likelihood(decoded(vae, axis), x)
    expected = (np.exp(log_prior(axis)) * likelihood).sum((1, 2)) * 0.1**2
    found = encoder_elbo(vae, x, likelihood + log_prior(axis), axis)
    assert found == pytest.approx(expected, abs=1e-8)


def test_shown_are_the_median_the_95th_percentile_and_the_last():
    assert shown_images(np.arange(100)[::-1] / 7) == [49, 5, 0]


def test_evidence_is_written_in_the_order_of_the_images():
    measured = np.array([[-1.5, -1.5, -2, 0.25], [-3, -3, -3.5, 0]])
    lines = evidence_csv(measured).decode().splitlines()
    assert lines[0] == "image," + ",".join(MEASURED)
    assert lines[1] == "0,-1.500000000,-1.500000000,-2.000000000,0.250000000"
