"""Published values, the recipe that goes with them, and ours beside both."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from check_config import ConfigError, check
from published_values import PUBLISHED, complaint_about, read_published
from report_comparisons import published_rows
from reproduction import reproductions, trained_passes
from resolve_run import resolve
from result_files import REPRODUCTION, read_table
from tables import write

IWAE = PUBLISHED.parent / "iwae.yaml"
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
    path = tmp_path / "values.yaml"
    path.write_text(PUBLISHED.read_text().replace(old, new))
    found = complaint_about("iwae_vae_1", "bernoulli", "mnist", path)
    assert found is not None
    assert complaint in found
    assert "\n" not in found


def summary() -> pd.DataFrame:
    rows = [
        ("a", "log_likelihood", "nats per image", -90.0, 0.5, 0.01, float("nan"), 1),
        ("b", "log_likelihood", "nats per image", -230.0, 0.5, 0.01, 0.2, 2),
        ("c", "log_likelihood", "nats per image", -80.0, 0.5, 0.01, 0.2, 2),
    ]
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
    write(reproductions(summary(), passes, names, read_published()), tmp_path / "table.csv")
    found = read_table(tmp_path / "table.csv", REPRODUCTION).set_index("run")
    assert found.index.tolist() == ["a", "b"]
    assert found.loc["a", "difference"] == pytest.approx(-90 + 86.76)
    assert found.loc["a", "share"] == pytest.approx(328 / 3280)
    assert "arXiv:1509.00519, Table 1" in found.loc["a", "citation"]
    assert found["share"].isna().tolist() == [False, True]  # early stopping: no fixed length
    assert passes["b"] == 5

    shown = published_rows(found.reset_index(), read_published())
    assert [row["share"] for row in shown["rows"]] == ["10.0%", "not defined"]
    assert shown["rows"][1]["published"]["errors"] == [("published", "0.15")]
    assert len(shown["recipes"]) == 2


def test_without_names_the_table_has_no_rows(tmp_path: Path) -> None:
    empty = reproductions(summary(), pd.Series(dtype=int), {}, read_published())
    write(empty, tmp_path / "table.csv")
    assert read_table(tmp_path / "table.csv", REPRODUCTION, may_be_empty=True).empty
