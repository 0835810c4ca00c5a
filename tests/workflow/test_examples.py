"""The models of examples/ in the workflow: trained on few epochs, and measured by weights."""

import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest
import yaml

from checkout import ENVIRONMENT, REPOSITORY, Checkout

FAST = {
    "epochs": 2,
    "importance_samples": 40,
    "elbo_samples": 10,
    "figure_images": 4,
    "ais_temperatures": 5,
    "ais_chains": 4,
}
EXACT = ("autoregressive", "flow")
# What pythae saves: tensors under the names of its modules.
AS_PYTHAE = """
import sys, torch
from safetensors.torch import load_file
torch.save({"model_state_dict": load_file(sys.argv[1])}, sys.argv[2])
"""


def configuration(name: str) -> dict:
    """A file of examples/ with few epochs, images and samples; AIS of one run."""
    config = yaml.safe_load((REPOSITORY / "examples" / name).read_text())
    config["datasets"]["digits"] |= {"validation_images": 60, "test_images": 40}
    config["defaults"] |= FAST
    for run, values in config["runs"].items():
        values["ais_images"] = 2 if run == "ladder" else 0
    return config


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Checkout:
    """All models of models.yaml, trained and in a report."""
    checkout = Checkout.fresh(tmp_path_factory.mktemp("examples") / "checkout")
    shutil.copytree(REPOSITORY / "examples", checkout.folder / "examples")
    config = configuration("models.yaml")
    checkout.configure(config)
    checkout.borrow_environment()
    checkout.run(*(f"results/runs/{run}/seed1/summary.csv" for run in config["runs"]))
    checkout.run()
    return checkout


@pytest.fixture(scope="module")
def adopted(trained, tmp_path_factory) -> Checkout:
    """Another checkout with the weights of two of them, one as pythae would have saved them."""
    checkout = trained.copy(tmp_path_factory.mktemp("adopted") / "checkout")
    runs = checkout.folder / "results" / "runs"
    (checkout.folder / "pythae_model").mkdir()
    python, model = ENVIRONMENT / "venv" / "bin" / "python", "pythae_model/model.pt"
    saved = runs / "pythae_vae" / "seed1" / "model.safetensors"
    subprocess.run([python, "-c", AS_PYTHAE, saved, model], cwd=checkout.folder, check=True)
    shutil.copy(runs / "flow" / "seed1" / "model.safetensors", checkout.folder / "flow.safetensors")
    shutil.rmtree(runs)
    config = configuration("pythae.yaml")
    flow = configuration("models.yaml")["runs"]["flow"]
    config["runs"]["flow"] = {**flow, "weights": "flow.safetensors"}
    checkout.configure(config)
    checkout.run()
    return checkout


def per_image(checkout: Checkout, run: str) -> pd.DataFrame:
    return pd.read_csv(checkout.folder / "results" / "runs" / run / "seed1" / "per_image.csv")


def test_all_stand_in_one_report(trained):
    report = (trained.folder / "results" / "report.html").read_text()
    runs = configuration("models.yaml")["runs"]
    assert [run for run in runs if run not in report] == []
    values = pd.read_csv(trained.folder / "results" / "tables" / "runs.csv")
    log_p = values[values["quantity"] == "log_likelihood"].set_index("run")
    assert set(log_p.index) == set(runs)
    assert (log_p["images"] == 40).all()


@pytest.mark.parametrize("run", EXACT)
def test_log_p_of_models_without_latents_is_exact(trained, run):
    values = pd.read_csv(trained.folder / "results" / "tables" / "runs.csv")
    found = values[values["run"] == run].set_index("quantity")
    assert not {"rate", "distortion"} & set(found.index)
    exact, estimate = found.loc[["exact_log_likelihood", "log_likelihood"], "value"]
    assert exact == pytest.approx(estimate)


@pytest.mark.parametrize("run", ["pythae_vae", "flow"])
def test_weights_from_elsewhere_have_the_log_p_of_the_run_that_trained_them(trained, adopted, run):
    column = "log_likelihood_nats"
    assert per_image(adopted, run)[column].equals(per_image(trained, run)[column])


def test_every_model_file_is_short():
    files = Path(REPOSITORY / "examples").glob("*.py")
    assert {file.name: count for file in files if (count := lines(file)) > 70} == {}


def lines(file: Path) -> int:
    return len(file.read_text().splitlines())
