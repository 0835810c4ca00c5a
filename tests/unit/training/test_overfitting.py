"""Training and validation images beside test images: null cases, and models that memorise."""

from dataclasses import fields

import numpy as np
import pytest
import torch

from elboflow.vae.measure.overfitting import MOST_OF_A_SPLIT, overfitting, spread
from elboflow.vae.measure.per_image import estimates
from elboflow.vae.measure.summary import PerImage
from elboflow.vae.model.draws import draw
from elboflow.vae.model.simulation import FIRST_IMAGE, simulate
from elboflow.vae.noise import Purpose, normals, words
from elboflow.vae.rows import RowsInMemory
from elboflow.vae.spec import EvaluationSpec

SPEC = EvaluationSpec(elbo_samples=20, importance_samples=20, chunk_samples=20)
DIFFERENCES = ("train_minus_test_log_likelihood", "test_minus_train_gap")


def measured(vae, x, first=0):
    """All that is estimated of images x, as evaluate has it."""
    found = estimates(vae, SPEC, 1, range(first, first + len(x)), x)
    columns = {name: values.double().numpy() for name, values in found.items()}
    return PerImage(**columns, samples=SPEC.importance_samples)


def part(images, chosen):
    """Some of these images."""
    columns = {
        field.name: values[chosen] if isinstance(values, np.ndarray) else values
        for field in fields(images)
        for values in [getattr(images, field.name)]
    }
    return PerImage(**columns)


def differences(train, test):
    found = {quantity.name: quantity for quantity in overfitting(test, {"train": train})}
    return {name: found[name] for name in DIFFERENCES}


def covers_zero(quantity):
    """The spread of the estimates over images has their Monte Carlo errors in it already."""
    return abs(quantity.value) < 1.96 * quantity.data_error


@pytest.mark.promise(
    "train_minus_test_log_likelihood, test_minus_train_gap",
    "95 % intervals cover 0 where the model was trained on neither split",
    "coverage 0.935 to 0.965 in 2000 random splits of images of one distribution, 150 and 100",
)
def test_of_images_that_no_training_saw_the_intervals_cover_zero(toy):
    vae, train, test = toy["vae"](), 150, 100
    images = measured(vae, simulate(vae, 1, range(FIRST_IMAGE, FIRST_IMAGE + 4000))[1])
    random = np.random.default_rng(1)
    covered = []
    for _ in range(2000):
        order = random.permutation(4000)
        found = differences(part(images, order[:train]), part(images, order[-test:]))
        covered.append([covers_zero(found[name]) for name in DIFFERENCES])
    coverage = np.mean(covered, 0)
    assert ((coverage > 0.935) & (coverage < 0.965)).all(), coverage


@pytest.mark.promise(
    "train_minus_test_log_likelihood",
    "a model that knows its training images by heart is found",
    "30 random images, trained until each is reconstructed",
)
def test_a_model_that_memorises_is_found(toy):
    training = toy["training"](images=30, latent_dim=4, epochs=150, decoder_layers=[32])
    levels = np.random.default_rng(1).integers(0, 2, (200, 12)).astype(np.uint8)
    training.taken.batches.images.rows = RowsInMemory(16 * levels[:30], "cpu")
    toy["train"](training)
    x = torch.from_numpy(levels).double()
    found = differences(measured(training.vae, x[:30]), measured(training.vae, x[30:], 30))
    memory = found["train_minus_test_log_likelihood"]
    assert memory.value > 5 * memory.data_error > 0


@pytest.mark.promise(
    "test_minus_train_gap",
    "an encoder that knows its training images by heart is found, and told from the decoder",
    "an encoder fitted to 15 images that a fixed decoder made",
)
def test_overfitting_of_the_encoder_is_told_from_that_of_the_decoder(toy):
    vae = toy["vae"](latent_dim=4, encoder_layers=[64])
    with torch.no_grad():
        vae.output.weight.mul_(20)  # so that z matters
        x = simulate(vae, 1, range(FIRST_IMAGE, FIRST_IMAGE + 400))[1]
    parameters = [*vae.encoder.parameters(), *vae.posterior.parameters()]
    optimiser = torch.optim.Adam(parameters, lr=0.01)
    for step in range(600):
        raw = words(2, Purpose.TRAINING, [(0, 15 * step)], 15, 4)
        loss = -draw(vae, x[:15], normals(raw, torch.float64)).log_weights.mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    found = differences(measured(vae, x[:15]), measured(vae, x[15:], 15))
    gap = found["test_minus_train_gap"]
    assert gap.value > 5 * gap.data_error > 0
    assert covers_zero(found["train_minus_test_log_likelihood"])


@pytest.mark.promise(
    "train_log_likelihood, train_elbo, train_gap, "
    "validation_log_likelihood, validation_elbo, validation_gap",
    "the estimates of test images, for these images and with their own errors",
    "recomputed from the images, to rounding",
)
def test_means_and_errors_of_independent_splits(toy):
    vae = toy["vae"]()
    x = torch.from_numpy(toy["binary"](90)).double()
    test, train = measured(vae, x[:50]), measured(vae, x[50:], 50)
    found = {q.name: q for q in overfitting(test, {"train": train, "validation": test})}
    assert sorted(found) == sorted(
        [
            *DIFFERENCES,
            *(
                f"{origin}_{name}"
                for origin in ("train", "validation")
                for name in ("elbo", "log_likelihood", "gap")
            ),
        ]
    )
    gaps = [images.log_likelihood - images.elbo for images in (test, train)]
    quantity = found["test_minus_train_gap"]
    assert quantity.value == pytest.approx(gaps[0].mean() - gaps[1].mean())
    assert quantity.data_error**2 == pytest.approx(sum(g.var(ddof=1) / len(g) for g in gaps))
    assert quantity.images == 90
    assert found["train_elbo"].images == 40
    for origin, images in (("train", train), ("validation", test)):
        own = {"elbo": images.elbo, "log_likelihood": images.log_likelihood}
        for name, values in {**own, "gap": own["log_likelihood"] - own["elbo"]}.items():
            quantity = found[f"{origin}_{name}"]
            assert quantity.value == pytest.approx(values.mean())
            assert quantity.data_error == pytest.approx(values.std(ddof=1) / len(values) ** 0.5)
    assert not overfitting(test, {})


def test_images_are_taken_from_all_over_a_split():
    images = np.arange(2500)[:, None]
    chosen = spread(images, MOST_OF_A_SPLIT)[:, 0]
    assert len(chosen) == MOST_OF_A_SPLIT
    assert chosen[-1] == 1998
    assert len(spread(images[:7], MOST_OF_A_SPLIT)) == 7
