"""A trained model in use: every form of images, and the numbers of the evaluation."""

import dataclasses

import numpy as np
import pytest
import torch

import elboflow
import own_models
from elboflow.images.binarise import binarise_split
from elboflow.trained import model as module
from elboflow.trained.model import TrainedModel
from elboflow.vae.data import DataError, ImageShape
from elboflow.vae.measure.blocks import block_sizes
from elboflow.vae.measure.bound_curve import errors, halvings
from elboflow.vae.measure.exact import exact_log_likelihood
from elboflow.vae.measure.pareto import reliable_up_to
from elboflow.vae.measure.per_image import estimates
from elboflow.vae.model.make import make_model
from elboflow.vae.model.networks import VAE
from elboflow.vae.spec import EvaluationSpec

COLOUR = ImageShape(3, 4, 3, 255)
LIKELIHOODS = ["bernoulli", "gaussian", "discretised_logistic"]


@pytest.fixture
def model_of(toy):
    def make(**changes):
        vae = toy["vae"](**changes)
        return TrainedModel(vae, toy["spec"](**changes), binarisation_seed=5)

    return make


def in_colour(toy, likelihood="gaussian", shape=COLOUR):
    spec = toy["spec"](likelihood=likelihood)
    vae = VAE(spec, shape)
    vae.initialise(1, torch.full((shape.pixels,), 0.4, dtype=torch.float64))
    return TrainedModel(vae, spec)


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
def test_all_forms_of_the_same_images_are_the_same(model_of, toy, likelihood):
    model, rows = model_of(likelihood=likelihood), toy["grey"](9)
    expected = model.encode(rows)
    assert expected.shape == (9, 2)
    grey = rows.reshape(9, 3, 4)
    forms = [grey, grey[..., None], grey[:, None], grey.astype(np.int64), grey.astype(">i2")]
    forms += [
        grey / 16,
        torch.from_numpy(grey),
        torch.from_numpy(grey / 16),
        np.asfortranarray(grey),
    ]
    for form in forms:
        assert np.array_equal(model.encode(form), expected)
    assert np.allclose(model.encode((grey / 16).astype(np.float32)), expected, atol=1e-6)


@pytest.mark.parametrize("likelihood", ["gaussian", "discretised_logistic"])
def test_bool_is_black_and_white(model_of, toy, likelihood):
    model, binary = model_of(likelihood=likelihood), toy["binary"](9)
    white = model.encode(binary * np.uint8(16))
    assert np.array_equal(model.encode(binary.astype(bool)), white)
    assert not np.array_equal(model.encode(binary), white)  # integers are levels


def test_images_in_colour_may_have_their_colours_first(toy):
    model = in_colour(toy)
    last = np.random.default_rng(0).integers(0, 256, (5, 3, 4, 3)).astype(np.uint8)
    first = np.moveaxis(last, -1, 1)
    assert np.array_equal(model.encode(first), model.encode(last))
    shown = model.reconstruct(last)
    assert shown.shape == last.shape
    assert np.array_equal(np.moveaxis(model.reconstruct(first), 1, -1), shown)
    assert model.decode(model.encode(last)).shape == model.sample(5).shape == last.shape


def test_images_whose_colours_may_be_first_or_last_are_refused(toy):
    model = in_colour(toy, shape=ImageShape(3, 3, 3, 255))
    with pytest.raises(DataError, match=r"first or last in it; give them last, in shape \(N, 27\)"):
        model.encode(np.zeros((2, 3, 3, 3), np.uint8))
    assert model.encode(np.zeros((2, 27), np.uint8)).shape == (2, 2)


def test_a_binary_model_binarises_grey_images_as_the_test_split_is(model_of, toy):
    model, grey = model_of(), toy["grey"](20)
    frozen = binarise_split(grey, 16, 5, "test")
    for method in (model.encode, model.reconstruct, lambda x: model.log_prob(x, 10).nats):
        assert np.array_equal(method(grey), method(frozen))
        assert np.array_equal(method(frozen.astype(bool)), method(frozen))


def test_what_comes_back_is_of_the_kind_that_was_given(model_of, toy):
    model, grey = model_of(likelihood="gaussian"), toy["grey"](5).reshape(5, 1, 3, 4)
    tensor = torch.from_numpy(grey)
    for method in (model.encode, model.reconstruct):
        assert isinstance(method(grey), np.ndarray)
        assert torch.equal(method(tensor), torch.from_numpy(method(grey)))
    assert model.reconstruct(grey).shape == grey.shape
    z = model.encode(grey)
    assert model.decode(z).shape == (5, 3, 4)
    assert torch.equal(model.decode(torch.from_numpy(z)), torch.from_numpy(model.decode(z)))
    assert np.array_equal(model.decode(z).ravel(), model.reconstruct(grey).ravel())
    for name in ("nats", "monte_carlo_error", "trusted"):
        array = getattr(model.log_prob(grey, 10), name)
        assert isinstance(array, np.ndarray)
        found = getattr(model.log_prob(tensor, 10), name)
        assert torch.equal(found, torch.from_numpy(array))


@pytest.mark.parametrize("changes", [{}, {"likelihood": "categorical"}, {"posterior": "flow"}])
def test_log_prob_is_that_of_the_evaluation(model_of, toy, changes):
    model, images = model_of(**changes), toy["binary"](45)
    found = model.log_prob(images, samples=200, seed=7)
    spec, x = EvaluationSpec(importance_samples=200), torch.from_numpy(images).double()
    parts = [
        estimates(model.vae, spec, 7, range(first, min(first + 20, 45)), x[first : first + 20])
        for first in (0, 20, 40)
    ]
    expected = {name: torch.cat([part[name] for part in parts]).numpy() for name in parts[0]}
    assert not found.exact
    assert np.array_equal(found.nats, expected["log_likelihood"])
    error = errors(halvings(expected["log_means"], block_sizes(200)))
    assert np.array_equal(found.monte_carlo_error, error)
    assert np.array_equal(found.trusted, expected["pareto_k"] <= reliable_up_to(200))


EXACT = [
    {"prior": "uniform", "posterior": "categorical"},
    {"likelihood": "gaussian", "decoder_layers": []},
]


@pytest.mark.parametrize("changes", EXACT)
def test_exact_values_are_given_where_there_are_some(model_of, toy, changes):
    model, images = model_of(**changes), toy["binary"](25)
    found = model.log_prob(images)
    x = torch.from_numpy(images).double()
    if model.observes == "unit":
        x = x / 16
    assert found.exact
    assert np.allclose(found.nats, exact_log_likelihood(model.vae, x), rtol=1e-12)
    assert not found.monte_carlo_error.any()
    assert found.trusted.all()


def test_few_samples_are_not_trusted(model_of, toy):
    assert not model_of().log_prob(toy["binary"](3), samples=2).trusted.any()


def test_progress_tells_of_the_images_that_are_done(model_of, toy, monkeypatch):
    told = []
    model, images = model_of(), toy["binary"](45)
    model.log_prob(images, samples=2, progress=told.append)
    assert told == [20, 40, 45]
    monkeypatch.setattr(module, "PIXELS_AT_ONCE", 20 * images[0].size)
    for method in (model.encode, model.reconstruct):
        told.clear()
        method(images, progress=told.append)
        assert told == [20, 40, 45]
    told.clear()
    model.decode(model.encode(images), progress=told.append)
    assert told == [20, 40, 45]
    told.clear()
    model.sample(45, progress=told.append)
    assert told == [20, 40, 45]


@pytest.mark.parametrize("likelihood", [*LIKELIHOODS, "categorical"])
def test_samples_are_images_that_the_model_observes(model_of, likelihood):
    model = model_of(likelihood=likelihood)
    drawn = model.sample(4000, seed=3)
    assert drawn.shape == (4000, 3, 4)
    assert np.array_equal(model.sample(7, seed=3), drawn[:7])
    assert not np.array_equal(model.sample(7), drawn[:7])
    top = {"binary": 1, "unit": 1, "levels": 16}[model.observes]
    if model.observes != "unit":
        assert drawn.dtype == np.uint8
        assert np.isfinite(model.log_prob(drawn[:3], 10).nats).all()
        assert drawn.max() <= top
    share, mean = drawn / top, model.sample(4000, seed=3, mean=True)
    assert ((mean >= 0) & (mean <= 1)).all()
    error = share.std(0) / 4000**0.5
    off = 0.05 if likelihood == "gaussian" else 0  # whose mean is clipped to [0, 1]
    assert (np.abs(share.mean(0) - mean.mean(0)) < 5 * error + off).all()


def test_many_images_pass_in_batches(model_of, toy, monkeypatch):
    model, images = model_of(), toy["binary"](50)
    whole = model.encode(images), model.reconstruct(images), model.sample(50)
    monkeypatch.setattr("elboflow.trained.model.PIXELS_AT_ONCE", 7 * 12)
    monkeypatch.setattr("elboflow.trained.images.AT_ONCE", 7 * 12)
    parts = model.encode(images), model.reconstruct(images), model.sample(50)
    for one, other in zip(whole, parts, strict=True):
        assert np.allclose(one, other, rtol=1e-12)
    assert np.array_equal(
        model.encode(toy["grey"](50)), model.encode(toy["grey"](50)[:, None].reshape(50, 3, 4))
    )


TRAINED_ON = "the model was trained on binary images of 3 x 4 pixels, drawn from levels 0 to 16"
REFUSED = {
    "a single image": (lambda grey: grey[0], r"shape \(3, 4\).*a single image is images\[None\]"),
    "another size": (lambda grey: grey[:, :, :3], r"shape \(9, 3, 3\): .*give shape \(N, 3, 4\)"),
    "no images": (lambda grey: grey[:0], r"shape \(0, 3, 4\)"),
    "a number": (lambda grey: np.array(1), r"shape \(\)"),
    "colours": (lambda grey: np.stack([grey] * 3, -1), r"shape \(9, 3, 4, 3\)"),
    "too bright": (lambda grey: grey * 2, f"values from 0 to 32: {TRAINED_ON}"),
    "negative": (lambda grey: grey.astype(int) - 1, "values from -1 to 15"),
    "standardised": (lambda grey: grey / 8 - 1, "values from -1.0 to 1.0"),
    "nan": (lambda grey: np.where(grey == 3, np.nan, grey / 16), "values from nan to nan"),
    "infinite": (lambda grey: np.where(grey == 3, np.inf, grey / 16), "to inf"),
    "between levels": (lambda grey: grey / 17, r"which is no level / 16"),
    "objects": (lambda grey: grey.astype(object), "dtype object"),
    "complex": (lambda grey: grey.astype(complex), "dtype complex128"),
    "text": (lambda grey: grey.astype(str), "dtype <U"),
    "a list": (lambda grey: grey.tolist(), "type list: give a numpy array or a tensor"),
    "bfloat16": (lambda grey: torch.from_numpy(grey / 17).bfloat16(), "no level / 16"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_images_of_another_kind_are_refused_in_a_line(model_of, toy, name):
    change, message = REFUSED[name]
    images = change(toy["grey"](9).reshape(9, 3, 4))
    for method in ("encode", "reconstruct", "log_prob"):
        with pytest.raises(ValueError, match=message) as refusal:
            getattr(model_of(), method)(images)
        assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("z", "message"),
    [
        (np.zeros(2), r"z of shape \(2,\): give \(N, 2\)"),
        (np.zeros((3, 5)), r"z of shape \(3, 5\): give \(N, 2\)"),
        (np.full((3, 2), np.nan), "z has values that are not finite"),
        ([[0.0, 0.0]], "z of type list"),
    ],
)
def test_another_z_is_refused_in_a_line(model_of, z, message):
    with pytest.raises(ValueError, match=message):
        model_of().decode(z)


@pytest.mark.parametrize("value", [0, -1, True, 1.5, "3", None])
def test_a_count_is_a_whole_number(model_of, toy, value):
    with pytest.raises(ValueError, match=r"count: .* is no whole number from 1 to"):
        model_of().sample(value)
    with pytest.raises(ValueError, match=r"samples: .* is no whole number from 2 to"):
        model_of().log_prob(toy["binary"](3), samples=value)


@pytest.mark.parametrize("seed", [-1, 1 << 64, 0.5])
def test_a_seed_is_a_word(model_of, toy, seed):
    with pytest.raises(ValueError, match=r"seed: .* is no whole number from 0 to"):
        model_of().sample(1, seed=seed)
    with pytest.raises(ValueError, match="seed: "):
        model_of().log_prob(toy["binary"](3), seed=seed)
    assert model_of().sample(1, seed=np.uint64((1 << 64) - 1)).shape == (1, 3, 4)


def test_a_model_without_latents_scores_and_samples(toy):
    spec = toy["spec"](model=f"{own_models.__file__}:Autoregressive", observes="binary")
    model = TrainedModel(make_model(spec, ImageShape(3, 4, 1, 16)), spec)
    images = toy["binary"](5)
    found = model.log_prob(images)
    assert found.exact
    assert model.latent_dim == 0
    drawn = model.sample(9, seed=2)
    assert drawn.shape == (9, 3, 4)
    assert set(np.unique(drawn)) <= {0, 1}
    for name in ("encode", "decode", "reconstruct"):
        with pytest.raises(ValueError, match=f"{name}: a model without latents has no z"):
            getattr(model, name)(images)
    with pytest.raises(ValueError, match="a model without latents has no z"):
        model.sample(1, mean=True)


def test_how_the_process_rounds_stays_as_it_is(model_of, toy, monkeypatch):
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)
    seen = []
    model = model_of()
    monkeypatch.setattr(
        type(model.vae), "encode", lambda *_: seen.append(torch.backends.cudnn.allow_tf32) or 1 / 0
    )
    with pytest.raises(ZeroDivisionError):
        model.encode(toy["binary"](3))
    assert seen == [False]
    assert torch.backends.cudnn.allow_tf32


def test_what_a_model_says_of_itself(model_of, toy):
    model = model_of()
    told = (model.image_shape, model.levels, model.latent_dim, model.observes)
    assert told == ((3, 4), 16, 2, "binary")
    assert dataclasses.asdict(model.specification)["latent_dim"] == 2
    assert in_colour(toy).image_shape == (3, 4, 3)
    assert elboflow.TrainedModel is TrainedModel
    assert "LogLikelihood" in dir(elboflow)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = elboflow.nothing
