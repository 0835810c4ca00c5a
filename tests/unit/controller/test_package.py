"""What `pip install .` gives: the package alone, with the numbers of the checkout."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[3]
TRAINING = ROOT / ".test-environment/venv/bin/python"
CHECKOUT = ROOT / "workflow" / "scripts"
LOSS = """
import torch
from elboflow.vae.data import ImageShape
from elboflow.vae.model.draws import draw
from elboflow.vae.model.networks import VAE
from elboflow.vae.spec import TrainingSpec
from elboflow.vae.training.objectives import elbo
vae = VAE(TrainingSpec(latent_dim=2), ImageShape(2, 2, 1, 1))
elbo(draw(vae, torch.ones(3, 4), torch.zeros(1, 3, 2))).objective.sum().backward()
print(elboflow.__file__)
"""
SAVE = """
import torch
from pathlib import Path
from elboflow.trained.model_file import model_files
from elboflow.vae.data import ImageShape, Manifest
from elboflow.vae.model.networks import VAE
from elboflow.vae.spec import TrainingSpec
spec = TrainingSpec(latent_dim=2)
vae = VAE(spec, ImageShape(3, 3, 1, 16))
vae.initialise(1, torch.full((9,), 0.3))
manifest = Manifest(Path(), vae.shape, {}, "", {"name": "toy"})
about = {"run": "toy", "specification": vars(spec), "seed": 1}
weights = Path(sys.argv[2]) / "model.safetensors"
for path, content in model_files(weights, vae, vae.state_dict(), manifest, **about).items():
    path.write_bytes(content)
"""
SCORE = """
import numpy as np
images = np.random.default_rng(0).integers(0, 17, (30, 3, 3))
print(elboflow.load(sys.argv[2]).log_prob(images, samples=200).nats.tolist())
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder into which the package is installed, and nothing else."""
    site = tmp_path_factory.mktemp("installed") / "site"
    install = [sys.executable, "-I", "-m", "pip", "install", "--quiet", "--no-index", "--no-deps"]
    install += ["--no-build-isolation", "--target", str(site), str(ROOT)]
    subprocess.run(install, check=True, capture_output=True, cwd=site.parent)
    return site


def run(code, where, folder):
    """What code prints, with the package from `where` and a folder as its argument."""
    begin = "import sys\nsys.path.insert(0, sys.argv[1])\nimport elboflow\n"
    command = [str(TRAINING), "-I", "-c", begin + code, str(where), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=folder)
    return done.stdout.strip()


def test_an_installed_package_trains_without_the_checkout(site, tmp_path):
    names = {path.name.partition("-")[0] for path in site.iterdir()}
    assert names == {"bin", "elboflow"}  # in bin the command elboflow
    assert Path(run(LOSS, site, tmp_path)).is_relative_to(site)


def test_an_installed_package_scores_as_the_checkout_does(site, tmp_path):
    run(SAVE, CHECKOUT, tmp_path)
    assert run(SCORE, site, tmp_path) == run(SCORE, CHECKOUT, tmp_path)


def test_the_package_alone_imports_no_torch(site, tmp_path):
    code = "print('torch' in sys.modules, 'load' in dir(elboflow))"
    assert run(code, site, tmp_path) == "False True"


def test_the_citation_is_of_this_version():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert (citation["version"], citation["license"]) == (project["version"], project["license"])
