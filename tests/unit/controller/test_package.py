"""What `pip install .` gives: the package alone, importable from anywhere."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
TRAINING = ROOT / ".test-environment/venv/bin/python"
LOSS = """
import sys, torch
sys.path.insert(0, sys.argv[1])
import elboflow
from elboflow.vae.data import ImageShape
from elboflow.vae.model.draws import draw
from elboflow.vae.model.networks import VAE
from elboflow.vae.spec import TrainingSpec
from elboflow.vae.training.objectives import elbo
vae = VAE(TrainingSpec(latent_dim=2), ImageShape(2, 2, 1, 1))
elbo(draw(vae, torch.ones(3, 4), torch.zeros(1, 3, 2))).objective.sum().backward()
print(elboflow.__file__)
"""


def test_an_installed_package_trains_without_the_checkout(tmp_path):
    install = [sys.executable, "-I", "-m", "pip", "install", "--quiet", "--no-index", "--no-deps"]
    install += ["--no-build-isolation", "--target", str(tmp_path / "site"), str(ROOT)]
    subprocess.run(install, check=True, capture_output=True, cwd=tmp_path)
    names = {path.name.partition("-")[0] for path in (tmp_path / "site").iterdir()}
    assert names == {"bin", "elboflow"}  # in bin the command elboflow
    command = [str(TRAINING), "-I", "-c", LOSS, str(tmp_path / "site")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert Path(done.stdout.strip()).is_relative_to(tmp_path)
