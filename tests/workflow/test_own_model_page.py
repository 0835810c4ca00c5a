"""The page docs/own_model.md, followed word for word with fewer epochs."""

import re

import pandas as pd
import yaml

from checkout import REPOSITORY, Checkout

PAGE = (REPOSITORY / "docs" / "own_model.md").read_text()


def first_block(language: str) -> str:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.M | re.S)[0]


def test_the_model_is_of_thirty_lines():
    assert first_block("python").count("\n") <= 30


def test_the_page_leads_to_a_report(fresh: Checkout):
    (fresh.folder / "my_models.py").write_text(first_block("python"))
    config = yaml.safe_load(first_block("yaml"))
    few = {"epochs": 2, "importance_samples": 40, "elbo_samples": 10, "figure_images": 4}
    config["defaults"] |= {**few, "ais_images": 0}
    (fresh.folder / "mine.yaml").write_text(yaml.safe_dump({**config, "chapter": False}))
    fresh.borrow_environment()
    fresh.run("--profile", "profiles/local", "--configfile", "mine.yaml")
    results = fresh.folder / "results" / "mine"
    runs = pd.read_csv(results / "tables" / "runs.csv")
    assert set(runs["run"]) == {"mine", "built_in"}
    assert "mine" in (results / "report.html").read_text()
