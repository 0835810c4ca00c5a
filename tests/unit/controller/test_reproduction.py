"""Published values, the recipe that goes with them, and ours beside both."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from elboflow.pages.comparisons import published_rows
from elboflow.reading.columns import REPRODUCTION
from elboflow.reading.csv_tables import read_table, write_table
from elboflow.reading.reproduction import error_parts, otherwise, reproductions, trained_passes
from elboflow.reading.tables import inapplicable
from elboflow.specification.check import ConfigError, check
from elboflow.specification.published import (
    PUBLISHED_VALUES,
    complaint_about_published,
    read_published,
    recipe_settings,
)
from elboflow.specification.resolve import resolve, specification

IWAE = PUBLISHED_VALUES.parent / "iwae.yaml"
# Of likelihood in nats per image, arXiv:1509.00519, table 1, one stochastic layer, MNIST.
TABLE_1 = {
    **{"iwae_vae_1": 86.76, "iwae_vae_5": 86.47, "iwae_vae_50": 86.35},
    **{"iwae_iwae_5": 85.54, "iwae_iwae_50": 84.78},
}


def recipe() -> dict[str, Any]:
    return yaml.safe_load(IWAE.read_text())


def test_the_values_are_those_of_the_papers_table() -> None:
    values = read_published()["values"]
    assert {name: -values[name]["log_likelihood"] for name in TABLE_1} == TABLE_1
    for name in TABLE_1:
        assert values[name]["place"].startswith("Table 1, one stochastic layer, ")


def test_each_run_of_the_recipe_names_the_value_of_its_objective() -> None:
    config = recipe()
    check(config)
    values = read_published()["values"]
    for run in config["runs"]:
        spec = resolve(config, run)
        kind = {"elbo": "VAE", "importance_weighted": "IWAE"}[spec["objective"]]
        expected = f"{kind}, k = {spec['training_samples']}"
        assert values[spec["published"]]["place"].endswith(f"layer, {expected}")
    assert {resolve(config, run)["published"] for run in config["runs"]} == set(TABLE_1)


def test_the_recipe_is_the_papers() -> None:
    spec = resolve(recipe(), "iwae_50")
    assert spec["epochs"] == sum(3**i for i in range(8)) == 3280
    assert read_published()["recipes"]["iwae"]["passes"] == spec["epochs"]
    assert (spec["schedule"], spec["batch_size"], spec["importance_samples"]) == ("iwae", 20, 5000)
    assert spec["adam_epsilon"] * spec["batch_size"] == pytest.approx(1e-4)
    assert (spec["adam_beta1"], spec["adam_beta2"]) == (0.99, 0.999)
    assert (spec["latent_dim"], spec["activation"]) == (50, "tanh")


def test_departures_are_comments_of_the_recipe_as_well() -> None:
    lines = [line.removeprefix("#") for line in IWAE.read_text().splitlines() if line[:1] == "#"]
    comments = " ".join(" ".join(lines).split())
    departures = read_published()["recipes"]["iwae"]["departures"]
    assert departures
    assert all(f"- {departure}" in comments for departure in departures)
    assert comments.count(" - ") == len(departures)


@pytest.mark.parametrize(
    ("epochs", "budget", "trained"),
    [(3280, 0.01, 33), (3280, 1, 3280), (3280, 1e-6, 8), (5, 0.5, 5), (100, 0.5, 50)],
)
def test_a_budget_shortens_the_run_but_never_below_eight_epochs(
    epochs: int, budget: float, trained: int
) -> None:
    config = recipe()
    config["runs"]["vae_1"] = {"epochs": epochs, "budget": budget, "warmup_epochs": epochs / 2}
    spec = resolve(config, "vae_1")
    assert spec["epochs"] == trained
    assert spec["warmup_epochs"] == pytest.approx(trained / 2)


def test_without_a_budget_nothing_of_the_specification_changes() -> None:
    assert json.dumps(resolve(recipe(), "vae_1")["warmup_epochs"]) == "0"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"published": "iwae_vae_2"},
            "no 'iwae_vae_2' in config/published.yaml, did you mean iwae",
        ),
        ({"published": "zzz"}, "no 'zzz' in config/published.yaml, known are iwae_vae_1, "),
        ({"published": "exemplar_vae_fashion_gaussian"}, "is of fashion-mnist, binary; this run's"),
    ],
)
def test_a_value_that_cannot_be_compared_is_refused(change: dict[str, Any], message: str) -> None:
    config = recipe()
    config["runs"]["vae_1"] = change
    with pytest.raises(ConfigError) as refusal:
        check(config)
    assert str(refusal.value).startswith("config: runs.vae_1.published: ")
    assert message in str(refusal.value)
    assert "\n" not in str(refusal.value)


def complaint_about_edited(folder: Path, old: str, new: str) -> str:
    """What is said, in one line, of the published values with the first `old` made `new`."""
    path = folder / "values.yaml"
    path.write_text(PUBLISHED_VALUES.read_text().replace(old, new, 1))
    found = complaint_about_published("iwae_vae_1", "binary", "mnist", path)
    assert found is not None
    assert "\n" not in found
    return found


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("log_likelihood: -86.47", "log_likelihood: high", "'high' is not of type 'number'"),
        ("passes: 3280", "epochs: 3280", "values.yaml: recipes.iwae: "),
        ("recipe: exemplar_vae", "recipe: other", "exemplar_vae_mnist_gaussian.recipe: no recipe"),
        ("recipes:", "recipes: [", "no valid YAML: while parsing"),
    ],
)
def test_a_damaged_file_of_values_is_refused_in_one_line(
    tmp_path: Path, old: str, new: str, complaint: str
) -> None:
    assert complaint in complaint_about_edited(tmp_path, old, new)


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("warmup_epochs: 100", "warmup: 100", "exemplar_vae.settings: 'warmup' is no key of a run"),
        ("latent_dim: 50", "latent_dim: 0", "recipes.iwae.settings.latent_dim: 0 is less than"),
        ("{prior: vamp}", "{prior: vampire}", "vampprior.settings.prior: 'vampire' is not one of"),
    ],
)
def test_settings_of_a_recipe_are_those_of_a_run(
    tmp_path: Path, old: str, new: str, complaint: str
) -> None:
    assert complaint in complaint_about_edited(tmp_path, old, new)


def settings_of(config: dict[str, Any]) -> pd.DataFrame:
    """tables/settings.csv of a configuration's runs."""
    documents = {run: specification(run, resolve(config, run)) for run in config["runs"]}
    rows = [
        (run, part, key, value if isinstance(value, str) else json.dumps(value))
        for run, document in documents.items()
        for part, values in document.items()
        if part != "run"
        for key, value in values.items()
        if key not in inapplicable(document["training"])
    ]
    return pd.DataFrame(rows, columns=["run", "part", "key", "value"])


def test_the_recipe_has_no_setting_otherwise() -> None:
    config, published = recipe(), read_published()
    settings = settings_of(config)
    for run, values in config["runs"].items():
        own = settings[settings["run"] == run].set_index("key")["value"]
        assert otherwise(own, recipe_settings(published, values["published"])) == ""


def test_every_setting_that_a_run_has_otherwise_is_named() -> None:
    config = yaml.safe_load((PUBLISHED_VALUES.parent / "fashion_models.yaml").read_text())
    settings = settings_of(config)
    own = settings[settings["run"] == "vampprior"].set_index("key")["value"]
    found = otherwise(own, recipe_settings(read_published(), "exemplar_vae_fashion_vampprior"))
    assert found.split("; ") == [
        "batch_size 200, theirs 100",
        "decoder_layers [200, 200], theirs [300, 300]",
        "encoder_layers [200, 200], theirs [300, 300]",
        "importance_samples 1000, theirs 5000",
        "latent_dim 50, theirs 40",
        "learning_rate 0.001, theirs 0.0005",
        "patience null, theirs 50",
        "warmup_epochs 0, theirs 100",
    ]


def test_numbers_are_equal_however_they_are_written() -> None:
    assert otherwise({"warmup_epochs": "100.0", "prior": "vamp"}, {"warmup_epochs": 100}) == ""


NAN = float("nan")


def summary() -> pd.DataFrame:
    """Log p(x) of a (one seed), b and c (two seeds), with their upper ends and binarisations."""
    rows = []
    for run, mean, spread, seeds in (
        ("a", -90.0, NAN, 1),
        ("b", -230.0, 0.2, 2),
        ("c", -80, 0.2, 2),
    ):
        rows.append((run, "log_likelihood", "nats per image", mean, 0.5, 0.01, spread, seeds))
        rows.append((run, "log_likelihood_upper", "nats per image", mean + 0.3, NAN, NAN, 0, seeds))
        rows.append((run, "binarisation_sd", "nats per image", 0.09, NAN, NAN, 0, seeds))
    names = ["run", "quantity", "unit", "mean", "data_error", "monte_carlo_error", "seed_sd"]
    return pd.DataFrame(rows, columns=[*names, "seeds"])


@pytest.mark.promise(
    "published_difference",
    "ours minus published",
    "against the formula",
)
def test_ours_stands_beside_the_published_value(tmp_path: Path) -> None:
    epochs = [("a", 1, epoch) for epoch in range(1, 329)] + [("b", 1, 7), ("b", 2, 5), ("c", 1, 9)]
    passes = trained_passes(pd.DataFrame(epochs, columns=["run", "seed", "epoch"]))
    names = {"b": "exemplar_vae_fashion_gaussian", "a": "iwae_vae_1"}
    settings = settings_of({"runs": {"a": {}, "b": {}}})
    images = pd.Series({"a": 10000, "b": 2500})
    table = reproductions(summary(), passes, images, settings, names, read_published())
    write_table(table, tmp_path / "table.csv")
    found = read_table(tmp_path / "table.csv", REPRODUCTION).set_index("run")
    assert found.index.tolist() == ["a", "b"]
    difference = -90 + 86.76
    half = 1.96 * (0.01**2 + 2 * 0.09**2) ** 0.5
    assert found.loc["a", "difference"] == pytest.approx(difference)
    assert found.loc["a", "lower"] == pytest.approx(difference - half, abs=1e-5)
    assert found.loc["a", "upper"] == pytest.approx(difference + half + 0.3, abs=1e-5)
    assert "arXiv:1509.00519, Table 1" in found.loc["a", "citation"]
    assert found["seed_error"].isna().tolist() == [True, False]
    assert found["published_error"].isna().tolist() == [True, False]
    assert found["sampling_error"].tolist() == pytest.approx([0, 0.5 * 0.75**0.5], abs=1e-6)
    assert passes["b"] == 5

    shown = published_rows(found.reset_index(), read_published())
    assert [row["passes"] for row in shown["rows"]] == ["328 of 3280", "5 of at most 2000"]
    assert ("published", "0.15") in shown["rows"][1]["difference"]["errors"]
    assert ("seeds", "0.1") in shown["rows"][1]["difference"]["errors"]
    assert len(shown["recipes"]) == 2


@pytest.mark.parametrize("seeds", [2, 5])
@pytest.mark.promise(
    "published_difference",
    "of the same recipe, 95 % of the intervals or more contain 0",
    "4000 pairs of a published training and 2 or 5 of ours, other binarisations and fewer images",
)
def test_intervals_hold_the_same_recipe_as_often_as_they_say(seeds: int) -> None:
    """True values of 2000 images, whose mean theirs is, and of 500 of them, whose mean is ours."""
    random, trials, held = np.random.default_rng(seeds), 4000, 0
    spread, binarisation = 0.15, 0.2
    images = random.normal(-230, 8, 2000)
    for _ in range(trials):
        theirs = images.mean() + spread * random.normal() + 0.5 * binarisation * random.normal()
        chosen = random.choice(images, 500, replace=False)
        own = chosen.mean() + spread * random.normal(size=seeds) + binarisation * random.normal()
        ours = {
            "data_error": chosen.std(ddof=1) / 500**0.5,
            "monte_carlo_error": 0.0,
            "seed_sd": own.std(ddof=1),
            "seeds": seeds,
        }
        quantities = {"log_likelihood": ours, "binarisation_sd": {"mean": binarisation}}
        _, half = error_parts(quantities, spread, 500, 2000)
        held += abs(own.mean() - theirs) <= half
    assert held / trials > 0.95 - 3 * (0.95 * 0.05 / trials) ** 0.5


def test_without_names_the_table_has_no_rows(tmp_path: Path) -> None:
    nothing = pd.Series(dtype=int)
    settings = settings_of({"runs": {"a": {}}})
    empty = reproductions(summary(), nothing, nothing, settings, {}, read_published())
    write_table(empty, tmp_path / "table.csv")
    assert read_table(tmp_path / "table.csv", REPRODUCTION, may_be_empty=True).empty
