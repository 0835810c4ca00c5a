import itertools

import pytest
import torch
from torch.distributions import Bernoulli as Reference
from vae.data import DataError
from vae.likelihood import Bernoulli, make_likelihood
from vae.spec import SpecError


def test_log_prob_is_that_of_independent_bernoulli_pixels():
    logits = torch.randn(3, 5, 7, generator=torch.Generator().manual_seed(1)) * 20
    x = (torch.rand(5, 7, generator=torch.Generator().manual_seed(2)) < 0.5).float()
    expected = Reference(logits=logits).log_prob(x).sum(-1)
    torch.testing.assert_close(Bernoulli().log_prob(logits, x), expected)


def test_probabilities_of_all_images_sum_to_one():
    logits = torch.linspace(-3, 3, 8, dtype=torch.float64)
    every = torch.tensor(list(itertools.product([0.0, 1.0], repeat=8)), dtype=torch.float64)
    total = Bernoulli().log_prob(logits.expand(256, 8), every).exp().sum()
    assert total.item() == pytest.approx(1, abs=1e-12)


def test_grey_pixels_are_refused():
    with pytest.raises(DataError, match="binary pixels only"):
        Bernoulli().require_support(torch.tensor([[0.0, 0.5]]))


def test_initial_output_shows_the_mean_image():
    mean = torch.tensor([0.0, 0.2, 1.0], dtype=torch.float64)
    shown = Bernoulli().mean(Bernoulli().initial_output(mean))
    torch.testing.assert_close(shown, torch.tensor([0.001, 0.2, 0.999], dtype=torch.float64))


def test_unknown_name_is_refused():
    with pytest.raises(SpecError, match="choose from bernoulli"):
        make_likelihood("poisson")
