"""Runs of users' own models and of weights that were given, from their files to the report."""

import csv
import re

import pytest

from checkout import TINY, Checkout

LADDER = """
import torch
from elboflow import Groups
from torch import nn
from torch.distributions import Bernoulli, Independent, Normal

from parts import normal


class Ladder(nn.Module):
    def __init__(self, width=16):
        super().__init__()
        self.up = nn.Sequential(nn.Flatten(), nn.Linear(64, width), nn.Tanh(), nn.Linear(width, 4))
        self.higher, self.lower = nn.Linear(2, 4), nn.Linear(2, 4)
        self.down = nn.Sequential(nn.Linear(4, width), nn.Tanh(), nn.Linear(width, 64))
        self.register_buffer("zero", torch.zeros(2))

    def prior(self):
        top = Independent(Normal(self.zero, self.zero + 1), 1)
        return Groups(z2=top, z1=lambda z2: normal(self.lower(z2)))

    def posterior(self, x):
        below = normal(self.up(x - 0.5))
        return Groups(z1=below, z2=lambda z1: normal(self.higher(z1)))

    def likelihood(self, z):
        return Independent(Bernoulli(logits=self.down(z).view(-1, 1, 8, 8)), 3)
"""
PARTS = """
from torch.distributions import Independent, Normal


def normal(outputs):
    mean, log_sd = outputs.chunk(2, -1)
    return Independent(Normal(mean, log_sd.exp()), 1)
"""
PIXELS = """
import torch
from torch import nn
from torch.distributions import Bernoulli, Independent


class Pixels(nn.Module):
    \"\"\"Independent pixels: no latents.\"\"\"

    def __init__(self):
        super().__init__()
        self.logits = nn.Parameter(torch.zeros(1, 8, 8))

    def log_prob(self, x):
        return Independent(Bernoulli(logits=self.logits), 3).log_prob(x)

    def sample(self, count):
        return Bernoulli(logits=self.logits).sample((count,))
"""
LADDER_RUN = {"model": "my_models.py:Ladder", "observes": "binary", "model_options": {"width": 8}}
RUNS = {
    "plain": {},
    "ladder": LADDER_RUN,
    "pixels": {"model": "pixels.py:Pixels", "observes": "binary"},
}


def write(checkout):
    for name, content in {"my_models": LADDER, "parts": PARTS, "pixels": PIXELS}.items():
        (checkout.folder / f"{name}.py").write_text(content)


def configured(**runs):
    return {**TINY, "runs": {**RUNS, **runs}}


@pytest.fixture(scope="module")
def made_once(tmp_path_factory):
    """A checkout in which a built-in model, a ladder and a model without latents have run."""
    checkout = Checkout.fresh(tmp_path_factory.mktemp("own") / "checkout")
    write(checkout)
    checkout.configure(configured())
    checkout.borrow_environment()
    checkout.run()
    return checkout


@pytest.fixture
def made(made_once, tmp_path):
    return made_once.copy(tmp_path / "checkout")


def summary_of(checkout, run):
    with (checkout.folder / "results/tables/summary.csv").open() as file:
        return {
            row["quantity"]: float(row["mean"]) for row in csv.DictReader(file) if row["run"] == run
        }


def test_own_models_go_from_their_files_to_the_report(made_once):
    page = (made_once.folder / "results/report.html").read_text()
    text = " ".join(re.sub(r"<[^>]+>", " ", page.split("<body>")[1]).split())
    assert "ladder own model my_models.py:Ladder binary images trained here injected" in text
    assert "pixels has no latents: log p(x) is exact" in text
    assert str(made_once.folder) not in page
    ladder, pixels = summary_of(made_once, "ladder"), summary_of(made_once, "pixels")
    assert ladder["log_likelihood"] >= ladder["elbo"]
    assert not {"rate", "distortion", "gap", "ess", "active_units"} & set(pixels)
    assert made_once.planned() == {}


@pytest.mark.parametrize(
    ("name", "run"), [("my_models", "ladder"), ("parts", "ladder"), ("pixels", "pixels")]
)
def test_an_edit_of_a_file_computes_its_runs_again_and_no_others(made, name, run):
    file = made.folder / f"{name}.py"
    file.write_text(file.read_text() + "\n# edited\n")
    planned = made.planned()
    assert (planned["train"], planned["evaluate"]) == (1, 1)
    made.run(f"results/runs/{run}/seed1/summary.csv")
    assert "train" not in made.planned()


def test_a_missing_file_is_one_line_before_anything_starts(made):
    (made.folder / "my_models.py").unlink()
    output = made.snakemake("-n").stdout
    assert "config: runs.ladder.model: my_models.py: no such file; correct the path" in output
    assert "Traceback" not in output and len(output.splitlines()) <= 5


def test_a_trained_model_is_measured_again_by_its_weights(made):
    """Those that the workflow wrote, as weights of another run, moved out of results/."""
    folder = made.folder / "results/runs/ladder/seed1"
    weights = "ladder.safetensors"
    (made.folder / weights).write_bytes((folder / "model.safetensors").read_bytes())
    made.configure(configured(given={**LADDER_RUN, "weights": weights}))
    planned = made.planned()
    assert (planned["train"], planned["evaluate"]) == (1, 1)
    made.run()
    assert summary_of(made, "given") == summary_of(made, "ladder")
    page = (made.folder / "results/report.html").read_text()
    assert f"weights given, not trained here: {weights}" in page
    (made.folder / weights).write_bytes(b"others")
    assert made.planned()["train"] == 1
