"""Train and evaluate in every precision, and print what it costs and changes as one table.

gpu_check.sh starts it, in the environment that it has built. Trainings of all kinds take turns, and
speeds are medians over the turns. The images are drawn from a model with ten latent dimensions, as
many and as large as MNIST's.
"""

import argparse
import csv
import hashlib
import json
import os
import shutil
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow" / "scripts"))

from elboflow.specification.resolve import resolve, specification, write_specification

SCRIPTS = Path(__file__).parents[1] / "workflow" / "scripts"
KINDS = [("float32", True), ("float32", False), ("tf32", True), ("bf16", True)]
SIDE, LATENT = 28, 10
REHEARSAL = os.environ.get("ELBOFLOW_GPU") == "none"
IMAGES = (2_000, 200, 200) if REHEARSAL else (50_000, 10_000, 10_000)  # train, validation, test
EPOCHS, SAMPLES, TURNS = (2, 50, 1) if REHEARSAL else (10, 1000, 3)


def write_data(folder: Path) -> None:
    """Images of a smooth random model, in the layout of fetch_data."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(0)
    weights = random.normal(size=(LATENT, SIDE * SIDE))
    files = {}
    for name, count in zip(("train", "validation", "test"), IMAGES, strict=True):
        logits = random.normal(size=(count, LATENT)) @ weights - 2
        grey = np.rint(255 / (1 + np.exp(-logits))).astype(np.uint8)
        arrays = {name: grey, f"{name}_binary": random.random(grey.shape) * 255 < grey}
        for stem, array in arrays.items():
            np.save(folder / f"{stem}.npy", array.astype(np.uint8))
            digest = hashlib.sha256((folder / f"{stem}.npy").read_bytes()).hexdigest()
            files[f"{stem}.npy"] = {"images": count, "sha256": digest}
    manifest = {"levels": 255, "image_shape": [SIDE, SIDE], "files": files}
    (folder / "manifest.json").write_text(json.dumps(manifest))


def write_run(folder: Path, precision: str, deterministic: bool) -> Path:
    """run.json of a VAE of the size of Burda et al.; K = 1000 importance samples."""
    keys = {
        "dataset": "images",
        "latent_dim": 50,
        "epochs": EPOCHS,
        "precision": precision,
        "deterministic": deterministic,
        "importance_samples": SAMPLES,
        "chunk_images": 100,
        "chunk_samples": 500,
    }
    folder.mkdir(parents=True, exist_ok=True)
    config = {"runs": {folder.name: keys}}
    values = resolve(config, folder.name)
    write_specification(specification(folder.name, values), folder / "run.json")
    return folder


def start(script: str, ranks: int, **values: Any) -> None:
    """Run a program of the workflow to its end under the launcher."""
    flags = [word for name, value in values.items() for word in (f"--{name}", value)]
    words = [
        SCRIPTS / "launch.sh",
        "--nodes",
        1,
        "--tasks-per-node",
        ranks,
        "--threads-per-rank",
        1,
        "--mpi",
        "mpirun",
        "--venv",
        sys.prefix,
        "--",
        SCRIPTS / script,
        *[word.replace("_", "-") if str(word).startswith("--") else word for word in flags],
    ]
    subprocess.run(list(map(str, words)), check=True, stderr=subprocess.DEVNULL)


def train(run: Path, data: Path, ranks: int, turn: int) -> float:
    """Images per second of a training from the start."""
    state = run / f"state{turn}"
    start(
        "train.py",
        ranks,
        training=run / "run.json",
        data=data,
        seed=1,
        state=state,
        progress=state,
        checkpoint_seconds=3600,
        tensorboard=0,
        model=run / "model.safetensors",
        metrics=run / "metrics.csv",
        speed=run / "train.json",
    )
    return float(json.loads((run / "train.json").read_text())["images_per_second"])


def evaluate(run: Path, data: Path, ranks: int) -> dict[str, Any]:
    start(
        "evaluate.py",
        ranks,
        evaluation=run / "run.json",
        model=run / "model.safetensors",
        data=data,
        seed=1,
        state=run / "state_evaluate",
        progress=run / "state_evaluate",
        output_dir=run,
        speed=run / "evaluate.json",
    )
    with (run / "summary.csv").open() as file:
        summary = {row["quantity"]: row for row in csv.DictReader(file)}
    return {**summary, "speed": json.loads((run / "evaluate.json").read_text())}


def machine(folder: Path, ranks: int) -> str:
    """Card, driver and versions, in a line."""
    build = json.loads((folder / "build.json").read_text())
    card = "CPU, a rehearsal"
    if not REHEARSAL:
        query = ["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"]
        name, driver = subprocess.check_output(query, text=True).splitlines()[0].split(", ")
        card = f"{ranks} x {name}, driver {driver}, CUDA {build['cuda']}, NCCL {build['nccl']}"
    return f"{card}, torch {torch.__version__}, Horovod {build['horovod']}, {build['mpi']}"


def result(row: dict[str, str]) -> str:
    return f"{float(row['value']):.3f} ± {float(row['data_error']):.3f}"


def effect(results: dict[str, Any], quantity: str) -> str:
    row = results.get(f"{quantity}_minus_float32")
    return f"{float(row['value']):+.5f} ± {float(row['data_error']):.5f}" if row else ""


COLUMNS = [
    "precision",
    "repeats",
    "training, images/s",
    f"evaluation K={SAMPLES}, images/s",
    "ELBO",
    "log p(x)",
    "ELBO - float32",
    "log p(x) - float32",
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--folder", type=Path, required=True, help="where gpu_check.sh works")
    parser.add_argument("--ranks", type=int, required=True, help="ranks, each on a GPU of its own")
    parser.add_argument("--tests", required=True, help="how the tests ended, for the table")
    arguments = parser.parse_args()
    work = arguments.folder / "runs"
    data = work / "data"
    write_data(data / "images")
    runs = {
        kind: write_run(work / f"{kind[0]}-{'same' if kind[1] else 'any'}-bits", *kind)
        for kind in KINDS
    }
    speeds: dict[tuple[str, bool], list[float]] = {kind: [] for kind in KINDS}
    for turn in range(TURNS):
        for kind, run in runs.items():
            print(f"turn {turn + 1} of {TURNS}: {run.name} …", file=sys.stderr, flush=True)
            state = run / f"state{turn}"
            shutil.rmtree(state, ignore_errors=True)
            speeds[kind].append(train(run, data, arguments.ranks, turn))
    print(f"\n{machine(arguments.folder, arguments.ranks)}; GPU tests {arguments.tests}\n")
    print("| " + " | ".join(COLUMNS) + " |\n|" + "---|" * len(COLUMNS))
    for kind, run in runs.items():
        found = evaluate(run, data, arguments.ranks)
        cells = [
            kind[0],
            "to the bit" if kind[1] else "free",
            f"{statistics.median(speeds[kind]):,.0f}",
            f"{found['speed']['images_per_second']:,.0f}",
            result(found["elbo"]),
            result(found["log_likelihood"]),
            effect(found, "elbo"),
            effect(found, "log_likelihood"),
        ]
        print("| " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
