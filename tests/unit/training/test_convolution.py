"""Convolutional networks: where pixels come from and go to, and that a model of them trains."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from elboflow.vae.data import ImageShape
from elboflow.vae.model.convolution import ConvolutionalFeatures, ConvolutionalOutput
from elboflow.vae.spec import SpecError

SHAPES = st.builds(
    ImageShape, st.integers(1, 13), st.integers(1, 13), st.sampled_from([1, 3]), st.just(255)
)


@given(SHAPES, st.lists(st.integers(1, 4), min_size=1, max_size=3), st.integers(1, 3))
def test_any_image_goes_in_and_comes_out_with_its_size(shape, channels, per_pixel):
    features = ConvolutionalFeatures(shape, channels, "tanh")
    found = features(torch.rand(5, shape.pixels))
    assert found.shape == (5, features.features)
    output = ConvolutionalOutput(7, shape, per_pixel, channels, "tanh")
    assert output(torch.rand(2, 5, 7)).shape == (2, 5, shape.pixels * per_pixel)


def test_a_feature_sees_its_own_corner_of_the_image_in_all_colours():
    """A convolution of 3 x 3 at a corner: rows and columns 0 and 1, of every colour."""
    shape = ImageShape(6, 5, 3, 255)
    x = torch.zeros(1, shape.pixels, requires_grad=True)
    maps = ConvolutionalFeatures(shape, [2], "tanh")(x).view(2, 3, 3)
    maps[:, 0, 0].sum().backward()
    seen = x.grad.view(6, 5, 3) != 0
    expected = torch.zeros(6, 5, 3, dtype=torch.bool)
    expected[:2, :2] = True
    assert torch.equal(seen, expected)


def test_outputs_of_a_pixel_lie_side_by_side():
    """With weights 0 and biases that count, each number shows where it came from."""
    shape, per_pixel = ImageShape(2, 3, 3, 255), 4
    output = ConvolutionalOutput(5, shape, per_pixel, [6], "tanh")
    last = output.layers[-1]
    with torch.no_grad():
        last.weight.zero_()
        last.bias.copy_(torch.arange(12))  # output k of colour c: 4 c + k
        output.bias.zero_()
    found = output(torch.rand(1, 5)).view(2, 3, 3, per_pixel)
    assert torch.equal(found, torch.arange(12.0).view(1, 1, 3, 4).expand(2, 3, 3, 4))


@pytest.mark.parametrize("likelihood", ["bernoulli", "categorical"])
def test_a_convolutional_model_learns(toy, likelihood):
    training = toy["trained"](channels=[4, 6], likelihood=likelihood, epochs=40)
    first, last = training.metrics[0], training.metrics[-1]
    assert last["train_elbo_nats"] > first["train_elbo_nats"] + 0.1


def test_weights_are_drawn_alike_for_a_seed_and_within_their_bound(toy):
    one, again, other = (toy["vae"](seed, channels=[4]) for seed in (1, 1, 2))
    first = one.encoder[0].layers[0].weight
    assert torch.equal(first, again.encoder[0].layers[0].weight)
    assert not torch.equal(first, other.encoder[0].layers[0].weight)
    assert first.abs().max() <= (6 / ((1 + 4) * 9)) ** 0.5  # fan in and out are 9 and 36


def test_an_unknown_activation_is_named():
    with pytest.raises(SpecError, match="activation: 'step' is unknown"):
        ConvolutionalFeatures(ImageShape(4, 4, 1, 1), [2], "step")
