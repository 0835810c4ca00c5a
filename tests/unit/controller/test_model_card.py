"""The card of a trained model: facts for machines at its head, and none that anyone can slip in."""

import json
from pathlib import Path

import pytest
import yaml

from elboflow.pages.model_card import model_card
from elboflow.reading.errors import InputError

TEMPLATE = Path(__file__).parents[3] / "workflow" / "report" / "model_card.md.jinja"
MINUS = "\N{MINUS SIGN}"
SUMMARY = """quantity,unit,value,data_error,monte_carlo_error,images
elbo,nats per image,-23.6918,0.1821,0.0123,397
rate,nats per image,5.5934,0.0435,,397
log_likelihood,nats per image,-23.0987,0.1789,0.0040,397
active_units,units,19.0,,,397
bits_per_dim,bits per pixel,0.520695,0.004033,0.00009,397
log_likelihood_lower,nats per image,-23.1034,,,397
log_likelihood_upper,nats per image,-23.0825,,,397
heavy_tail_share,share of images,0.0529,,,397
"""
CHECKS = """check,status,detail
elbo_not_above_log_likelihood,ok,fine
not_collapsed,warning,1 of 20 latent dimensions is active
"""
MODEL = {
    "run": "wide",
    "specification": {"likelihood": "bernoulli", "latent_dim": 20, "encoder_layers": [8, 9]},
    "seed": 3,
    "epoch": 7,
    "dataset": {"name": "digits", "origin": "somewhere", "licence": "MIT, copyright 2017"},
    "image_shape": [8, 8],
    "levels": 16,
    "observes": "binary",
    "latent_dim": 20,
    "versions": {"torch": "2.9", "numpy": "2.4"},
    "digests": {"weights": "ab" * 32, "data": "cd" * 32},
}


@pytest.fixture
def card(tmp_path):
    def make(checks=CHECKS, summary=SUMMARY, **changes):
        files = {"description": "model.json", "summary": "summary.csv", "checks": "checks.csv"}
        texts = (json.dumps({**MODEL, **changes}), summary, checks)
        for name, text in zip(files.values(), texts, strict=True):
            (tmp_path / name).write_text(text)
        return model_card(TEMPLATE, **{key: tmp_path / name for key, name in files.items()})

    return make


def head_of(text):
    empty, head, body = text.split("---\n", 2)
    assert empty == ""
    return yaml.safe_load(head), body


def test_the_head_is_what_hubs_read(card):
    head, _ = head_of(card())
    assert head["license"] == "mit"
    assert head["library_name"] == "elboflow"
    assert "variational-autoencoder" in head["tags"]
    (model,) = head["model-index"]
    assert model["name"] == "wide-seed3"
    (result,) = model["results"]
    assert result["dataset"] == {"type": "digits", "name": "digits", "split": "test"}
    values = {metric["type"]: metric["value"] for metric in result["metrics"]}
    assert values == {"log_likelihood": -23.0987, "elbo": -23.6918, "bits_per_dim": 0.5207}
    assert head["metrics"] == list(values)


def test_the_body_says_what_was_measured_and_how_to_use_it(card):
    text = card()
    for line in (
        "# wide, seed 3",
        f"| log p(x), 95 % interval with that bias | {MINUS}23.103 to {MINUS}23.082 |  |  |",
        f"| ELBO | {MINUS}23.69 | 0.18 | 0.012 |",
        "| active latent dimensions | 19 |  |  |",
        "- **collapsed, or nearly so**: 1 of 20 latent dimensions is active",
        "z = model.encode(images)  # (N, 20)",
        "encoder_layers: [8, 9]",
    ):
        assert line in text.splitlines()
    assert "shape (N, 8, 8) or (N, 64): bool, integers 0 to 16" in text
    assert "after epoch 7." in text
    assert "Licence of the data: MIT, copyright 2017." in text
    assert text.endswith(".\n")
    assert "elbo_not_above" not in text


def test_the_same_inputs_give_the_same_bytes(card):
    assert card() == card()


def test_a_card_without_warnings_says_so(card):
    assert "No check has a warning." in card(checks=CHECKS.replace("warning", "ok"))


@pytest.mark.parametrize(
    ("licence", "name"),
    [
        ("BSD-3-Clause, as distributed with scikit-learn", "bsd-3-clause"),
        ("CC BY 4.0, according to", "cc-by-4.0"),
        ("not stated by its publishers; CC BY-SA 3.0 according to Keras", "unknown"),
        ("not stated (own file)", "unknown"),
    ],
)
def test_a_licence_is_named_where_it_is_known(card, licence, name):
    text = card(dataset={**MODEL["dataset"], "licence": licence})
    assert head_of(text)[0]["license"] == name
    assert f"Licence of the data: {licence}." in text


def test_a_model_without_latent_variables_has_none_on_its_card(card):
    own = {"model": "my_models.py:Flow", "model_options": {"width": 64}, "observes": "levels"}
    lines = ("quantity", "elbo", "log_likelihood,")
    exact = [line for line in SUMMARY.splitlines(keepends=True) if line.startswith(lines)]
    summary = "".join(exact).replace(",0.0040,", ",0.0,")
    specification = {**own, "likelihood": "bernoulli"}
    text = card(latent_dim=0, observes="levels", specification=specification, summary=summary)
    assert "encode" not in text
    assert f"| log p(x), exact | {MINUS}23.10 | 0.18 |  |" in text
    assert "interval" not in text
    assert "importance" not in text
    assert "variational-autoencoder" not in head_of(text)[0]["tags"]
    assert "model: my_models.py:Flow\nmodel_options: {width: 64}\nobserves: levels\n" in text
    assert "likelihood: bernoulli" not in text
    assert "binarised" not in text


def test_weights_from_elsewhere_have_no_training_on_their_card(card):
    changes = {"specification": {**MODEL["specification"], "weights": "w.pt", "objective": "elbo"}}
    text = card(**changes)
    assert "weights: w.pt" in text
    assert "objective" not in text


def test_colour_images_have_colours_last(card):
    assert "shape (N, 8, 9, 3) or (N, 216)" in card(image_shape=[8, 9, 3])


HOSTILE = "x <script>alert(1)</script>\n---\n```\nlicense: other"


def test_what_a_user_wrote_stays_text(card):
    dataset = {"name": "digits", "origin": HOSTILE, "licence": HOSTILE}
    specification = {"model": "own.py:Own", "model_options": {"name": HOSTILE, "number": 1.0}}
    text = card(dataset=dataset, specification=specification)
    head, body = head_of(text)
    assert head["license"] == "unknown"
    settings = body.split("```yaml\n")[1].split("\n```")[0]
    assert "<script>" not in body.replace(settings, "")
    assert yaml.safe_load(settings)["model_options"] == specification["model_options"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"observes": None}, "'observes' cannot be null"),
        ({"observes": "sounds"}, "'observes' cannot be"),
        ({"image_shape": []}, "'image_shape' cannot be"),
        ({"dataset": {}}, "no key 'name'"),
        ({"versions": 3}, "'versions' cannot be 3"),
        ({"versions": {}}, "no key 'torch'"),
        ({"dataset": {"name": "digits", "origin": "", "licence": 3}}, "'licence' cannot be 3"),
    ],
)
def test_a_description_that_cannot_be_used_is_refused_in_a_line(card, changes, message):
    with pytest.raises(InputError, match=message):
        card(**changes)


def test_a_summary_without_rows_is_refused(card):
    with pytest.raises(InputError, match=r"summary\.csv: a header without rows"):
        card(summary=SUMMARY.splitlines()[0] + "\n")
