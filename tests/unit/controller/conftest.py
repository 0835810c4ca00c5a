"""Finished runs, made up, in the layout that train, evaluate and fetch_data write."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from elboflow.specification.resolve import part, resolve
from elboflow.vae.spec import PARTS
from mirror import Answer, Mirror

REPOSITORY = Path(__file__).parents[3]
SCRIPTS, PAGES = REPOSITORY / "workflow" / "scripts", REPOSITORY / "workflow" / "report"
PUBLISHED = REPOSITORY / "config" / "published.yaml"
# A figure has its module and its caption. Of runs with ais_images there is one more, and of runs
# that are scored on other data.
DRAWN = {path.stem for path in (SCRIPTS / "elboflow" / "figures").glob("*.py")}
CAPTIONS = {path.stem: str(path) for path in sorted(PAGES.glob("*.rst")) if path.stem in DRAWN}
for name in ("scaling", "speed"):  # which are on the other page
    del CAPTIONS[name]
OF_BOUNDS, OF_SCORES = "estimators", "scores"
TABLES = ["runs", "summary", "training", "units", "checks", "settings", "bound_against_k"]
CURVE = "samples,bound_nats,monte_carlo_error_nats,rise_nats,rise_error_nats"
ELBO_PARTS = ["elbo_nats", "rate_nats", "distortion_nats"]
METRICS = [
    *["epoch", "step", "learning_rate", "beta", "train_objective_nats"],
    *[f"train_{part}" for part in ELBO_PARTS],
    "gradient_norm",
    *[f"validation_{part}" for part in ELBO_PARTS],
]
LEVELS, SIDE, IMAGES, EPOCHS = 16, 4, 5, 12

# Runs a list of scripts as Snakemake does: its object is a global name when the script starts.
DRIVER = """
import json, runpy, sys
from types import SimpleNamespace as Names
for job in json.load(sys.stdin):
    parts = {part: Names(**job.get(part, {})) for part in ("input", "output", "params")}
    told = {"snakemake": Names(**parts)}
    runpy.run_path(job["script"], init_globals=told, run_name="__main__")
"""


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def write_csv(path: Path, header: str, rows: Sequence[Sequence[Any]]) -> None:
    lines = [",".join(str(cell) for cell in row) for row in rows]
    write(path, "\n".join([header, *lines]) + "\n")


def told_apart(kind: str, real: float, made: float, bound: float) -> list[tuple[Any, ...]]:
    """Rows of what tells images of a kind from test images."""
    share = "share of images"
    return [
        (f"{kind}_1nn_real", share, real, 0.05, ""),
        (f"{kind}_1nn_made", share, made, 0.06, ""),
        (f"{kind}_1nn_null", share, 0.49, 0.07, ""),
        (f"{kind}_jsd_bound", "nats", bound, 0.02, ""),
    ]


def write_summary(path: Path, elbo: float, data_error: float, monte_carlo_error: float) -> None:
    """summary.csv of a run whose log p(x) is one nat above its ELBO."""
    nats, share, errors = "nats per image", "share of images", (data_error, monte_carlo_error)
    rows = [
        ("elbo", nats, elbo, *errors),
        ("rate", nats, 5.0, data_error, ""),
        ("distortion", nats, -elbo - 5, *errors),
        ("log_likelihood", nats, elbo + 1, *errors),
        ("gap", nats, 1.0, *errors),
        ("bits_per_dim", "bits per pixel", 0.5, *errors),
        ("ess", "samples", 120.5, data_error, ""),
        ("active_units", "units", 2.0, "", ""),
        ("active_units_at_half_threshold", "units", 3.0, "", ""),
        ("active_units_at_twice_threshold", "units", 1.0, "", ""),
        ("informative_units", "units", 1.5, "", ""),
        ("noise_floor", nats, -8.0, 0.25, ""),
        ("mean_image", nats, -40.0, 0.75, ""),
        ("log_likelihood_bias", nats, 0.05, "", 0.02),
        ("log_likelihood_lower", nats, elbo + 0.97, "", ""),
        ("log_likelihood_upper", nats, elbo + 1.25, "", ""),
        ("binarisation_sd", nats, 0.05, "", ""),
        ("mutual_information", nats, 3.2, data_error, 0.02),
        ("mutual_information_upper", nats, 4.9, data_error, 0.02),
        ("marginal_kl", nats, 1.8, data_error, 0.02),
        ("marginal_kl_lower", nats, 0.1, data_error, 0.02),
        ("rate_simulated", nats, 4.5, data_error, 0.01),
        ("marginal_kl_simulated", nats, 1.5, data_error, 0.02),
        ("train_log_likelihood", nats, elbo + 3, *errors),
        ("train_gap", nats, 0.9, *errors),
        ("train_minus_test_log_likelihood", nats, 2.0, *errors),
        ("test_minus_train_gap", nats, 0.1, *errors),
        *told_apart("sample", 0.9, 0.2, 0.3),
        *told_apart("reconstruction", 0.7, 0.45, 0.1),
        *told_apart("training", 0.52, 0.51, -0.002),
        ("sample_nearest_training", share, 0.51, 0.04, ""),
        ("sample_nearest_training_null", share, 0.5, 0.04, ""),
    ]
    header = "quantity,unit,value,data_error,monte_carlo_error,images"
    write_csv(path, header, [(*row, 53) for row in rows])


def write_per_image(path: Path, elbo: float) -> None:
    """per_image.csv of such a run: means as told, images 2 nats and an 80th of it around them."""
    rows = []
    for image in range(52):
        value = elbo + (2, -2)[image % 2] + (elbo / 80, -elbo / 80)[image // 26]
        rows.append([image, value, 0.03, 5.0, -value - 5, value + 1, 0.02])
    columns = "image,elbo_nats,elbo_monte_carlo_error_nats,rate_nats,distortion_nats"
    write_csv(path, f"{columns},log_likelihood_nats,log_likelihood_monte_carlo_error_nats", rows)


def write_metrics(path: Path, elbo: float) -> None:
    """metrics.csv whose validation ELBO is best in the eighth of its epochs."""
    rows = []
    for epoch in range(1, EPOCHS + 1):
        validation = elbo - abs(epoch - 8) - 30 * (epoch == 1)
        train = elbo - 10 / epoch
        trained = [0.001, 1.0, train, train, 5.0, -train - 5, 2.5]
        rows.append([epoch, 3 * epoch, *trained, validation, 5.0, -validation - 5])
    write_csv(path, ",".join(METRICS), rows)


def curve(bound: float) -> list[tuple[Any, ...]]:
    """bound_against_k.csv of a run with K = 1000: each halving loses 0.1 nat."""
    points = [(1000 / 2**j, bound - j / 10, 0.02 + j / 100, 0.1, 0.01) for j in range(6)]
    return [*points, (15.625, bound - 0.6, 0.08, "", "")]


def write_images(path: Path, images: int = IMAGES) -> None:
    random = np.random.default_rng(0)
    grey = random.integers(0, LEVELS + 1, (images, SIDE * SIDE)).astype(np.uint8)
    mean = (grey / LEVELS).astype(np.float32)
    arrays = {"binary": (grey > 8).astype(np.uint8), "reconstruction": mean, "sample": mean[::-1]}
    np.savez(path, grey=grey, **arrays)  # type: ignore[arg-type]


def write_walks(path: Path) -> None:
    """walks.npz of a z of two dimensions."""
    random = np.random.default_rng(1)
    np.savez(
        path,
        traversed=np.array([1, 0]),
        traversal=random.random((2, 11, SIDE * SIDE), np.float32),
        ends=np.array([0, 7]),
        interpolation=random.random((9, SIDE * SIDE), np.float32),
        plane=random.standard_normal((53, 2)),
    )


def write_labels(folder: Path) -> None:
    """labels.json and the labels of the test images, of three classes."""
    write(folder / "labels.json", json.dumps({"classes": ["ape", "bee", "2"]}))
    np.save(folder / "test_labels.npy", (np.arange(53) % 3).astype(np.uint8))


def write_run(results: Path, run: str, seeds: Sequence[int], first_elbo: float) -> None:
    folder = results / "runs" / run
    training = {
        "dataset": "tiny",
        "latent_dim": 2,
        "patience": 3,
        "encoder_layers": [8],
        "precision": "float32",
        "likelihood": "bernoulli",
    }
    defaults = resolve({"runs": {run: {}}}, run)
    document = {
        "run": run,
        **{name: {} for name in PARTS},
        "training": {**part(defaults, "training"), **training, "beta": first_elbo / -20},
        "evaluation": {**part(defaults, "evaluation"), "figure_images": IMAGES},
    }
    write(folder / "run.json", json.dumps(document))
    for place, seed in enumerate(seeds):
        here, elbo = folder / f"seed{seed}", first_elbo - 2 * place
        write_summary(here / "summary.csv", elbo, 0.3 + 0.1 * place, 0.03 + 0.01 * place)
        write_metrics(here / "metrics.csv", elbo)
        write_per_image(here / "per_image.csv", elbo)
        write_csv(
            here / "units.csv",
            "unit,rate_nats,posterior_mean_variance,active",
            [(0, 4.0, 0.9, 1), (1, 1.0, 0.5, 1)],
        )
        write_csv(here / "bound_against_k.csv", CURVE, curve(elbo + 1))
        write_csv(
            here / "checks.csv",
            "check,status,detail",
            [("not_collapsed", "ok", "2 of 2 dimensions are active")],
        )
        write_images(here / "images.npz")
        write_walks(here / "walks.npz")
        write_speeds(results, run, seed)


def write_speeds(results: Path, run: str, seed: int) -> None:
    speed = {
        "run": run,
        "seed": seed,
        "ranks": 2,
        "threads_per_rank": 1,
        "hosts": ["node<7>"],
        "device": "cpu",
        "images_per_second": 8123.4,
        "seconds": 31.5,
        "job_seconds": 40.0,
    }
    resumed = {**speed, "images_per_second": None, "steps": 36, "started_at_step": 36}
    resumed["over_time"] = [[0.0, 0], [0.5, 4000], [1.0, 9000]]
    for stage, values in (("train", resumed), ("evaluate", {**speed, "images": 53})):
        write(results / "machine" / stage / run / f"seed{seed}.json", json.dumps(values))


def write_manifest(results: Path) -> None:
    counts = {"train": 300, "validation": 41, "test": 53, "validation_binary": 41}
    counts["test_binary"] = 53
    files = {f"{name}.npy": {"images": n, "sha256": f"{n:064x}"} for name, n in counts.items()}
    manifest = {
        "dataset": "tiny",
        "source": "file",
        "origin": "made up",
        "licence": "none & void",
        "image_shape": [SIDE, SIDE],
        "levels": LEVELS,
        "split_seed": 3,
        "binarisation_seed": 4,
        "files": files,
    }
    folder = results / "data" / "tiny"
    write(folder / "manifest.json", json.dumps(manifest))
    grey = np.random.default_rng(2).integers(0, LEVELS + 1, (53, SIDE * SIDE)).astype(np.uint8)
    np.save(folder / "test.npy", grey)
    np.save(folder / "test_binary.npy", (grey > 8).astype(np.uint8))
    write_labels(folder)


def write_machine(results: Path) -> None:
    smoke_test = results / "machine" / "smoke_test"
    columns = "rank,size,local_rank,local_size,host,device,threads,adds_with"
    ranks = [(rank, 2, rank, 2, "node<7>", "cpu", 1, "MPI") for rank in (1, 0)]
    write_csv(smoke_test / "ranks.csv", columns, ranks)
    write_csv(
        smoke_test / "allreduce.csv",
        "bytes,latency_us,bus_bandwidth_gb_per_s",
        [(1024, 12.5, 0.08)],
    )
    build = {"torch": "2.13.0", "controllers": ["MPI", "Gloo"], "cuda": None}
    write(results / "environment" / "build.json", json.dumps(build))
    write(results / "environment" / "packages.txt", "numpy==2.4.6\ntorch==2.13.0\n")


def write_results(
    folder: Path, runs: Sequence[str] = ("alpha", "beta"), seeds: Sequence[int] = (1, 2)
) -> Path:
    """Everything that the tables, figures and pages are made of, in folder/results."""
    results = folder / "results"
    for place, run in enumerate(runs):
        write_run(results, run, seeds, -20.0 - 4 * place)
    write_manifest(results)
    write_machine(results)
    return folder


def jobs(root: Path) -> list[dict[str, Any]]:
    """The scripts with their inputs and outputs, as the rules name them, below `root`."""

    def each(pattern: str) -> list[str]:
        return sorted(str(path) for path in root.glob(f"results/{pattern}"))

    bounded, scored = each("runs/*/seed*/bounds.csv"), each("runs/*/seed*/scores/*.csv")
    asked = {OF_BOUNDS: bounded, OF_SCORES: scored}
    figures = [name for name in CAPTIONS if asked.get(name, True)]
    outputs = outputs_of(root / "results", figures)
    inputs = inputs_of(each, outputs, figures)
    if not bounded:
        del inputs["gather_bounds"]
    if not scored:
        del inputs["gather_scores"]
    params: dict[str, dict[str, Any]] = {"reproduction": {"published": {}}}
    drawn_from = {"training_curves": ["training", "settings"]}
    params["report"] = {"figure_tables": drawn_from, "chapter": False, "configuration": None}
    params |= {f"plot_{name}": {"module": f"elboflow.figures.{name}"} for name in figures}
    return [
        {
            "script": str(SCRIPTS / f"{'plot' if name.startswith('plot_') else name}.py"),
            "input": inputs[name],
            "output": outputs[name],
            "params": params.get(name, {}),
        }
        for name in inputs
    ]


def outputs_of(results: Path, figures: Sequence[str]) -> dict[str, dict[str, str]]:
    """What each script writes, by the names of the rules."""

    def table(name: str, end: str = "csv") -> str:
        return str(results / "tables" / f"{name}.{end}")

    return {
        "gather_tables": {name: table(name) for name in TABLES},
        **{name: {name: table(name)} for name in ("comparisons", "reproduction")},
        "gather_bounds": {"bounds": table("bounds"), "summary": table("bounds_summary")},
        "gather_scores": {"scores": table("scores"), "summary": table("scores_summary")},
        "paper": {end: table("paper", end) for end in ("csv", "tex")},
        **{f"plot_{name}": {"figure": str(results / f"figures/{name}.svg")} for name in figures},
        "report": {"report": str(results / "report.html")},
    }


def inputs_of(
    each: Callable[[str], list[str]], outputs: dict[str, dict[str, str]], figures: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """What each script reads, in the order of the rules."""
    tables = outputs["gather_tables"]
    runs, manifests = each("runs/*/run.json"), each("data/*/manifest.json")
    bounded, published = each("runs/*/seed*/bounds.csv"), {"published": str(PUBLISHED)}
    scores = each("runs/*/seed*/scores/*.csv")
    scored = {
        "scores": scores,
        "per_image": sorted({str(Path(path).parents[1] / "per_image.csv") for path in scores}),
    }
    drawn_from = {"specifications": runs, "manifests": manifests, "bounds": bounded, **scored}
    drawn_from |= {name: of_first_seeds(each, f"{name}.npz") for name in ("images", "walks")}
    drawn_from["labels"] = each("data/*/labels.json")
    per_image = {"per_image": of_first_seeds(each, "per_image.csv")}
    first = {"plot_log_likelihood_per_image": per_image}
    stems = {"metrics": "metrics", "summaries": "summary", "units": "units", "checks": "checks"}
    stems["curves"] = "bound_against_k"
    seeds = {key: each(f"runs/*/seed*/{stem}.csv") for key, stem in stems.items()}
    pages = {
        "introduction": str(PAGES / "workflow.rst"),
        "template": str(PAGES / "report.html.jinja"),
        "promises": str(PAGES / "promises.csv"),
        "citation": str(REPOSITORY / "CITATION.cff"),
        "numbers": [*tables.values(), outputs["comparisons"]["comparisons"]],
    }
    seeds["descriptions"] = each("runs/*/seed*/model.json")
    return {
        "gather_tables": {"runs": runs, **seeds},
        **{
            f"plot_{name}": {**tables, **drawn_from, **first.get(f"plot_{name}", {})}
            for name in figures
        },
        "comparisons": {**tables, "per_image": each("runs/*/seed*/per_image.csv")},
        "reproduction": {**tables, **published},
        "paper": tables,
        "gather_bounds": {"bounds": bounded},
        "gather_scores": {**tables, **scored, "manifests": manifests},
        "report": {
            **tables,
            **outputs["comparisons"],
            **outputs["reproduction"],
            **published,
            **pages,
            "manifests": manifests,
            "missing": [],
            "figures": [outputs[f"plot_{name}"]["figure"] for name in figures],
            "captions": [CAPTIONS[name] for name in figures],
            "bounds": [outputs["gather_bounds"]["summary"]] if bounded else [],
            "scores": [outputs["gather_scores"]["summary"]] if scores else [],
        },
    }


def of_first_seeds(each: Callable[[str], list[str]], name: str) -> list[str]:
    """A file of each run's first seed."""
    paths = sorted(each(f"runs/*/seed*/{name}"), reverse=True)
    return sorted({Path(path).parents[1]: path for path in paths}.values())


def run_scripts(
    work: list[dict[str, Any]], cwd: Path, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run scripts in a process of their own."""
    for job in work:
        for path in job["output"].values():
            (cwd / path).parent.mkdir(parents=True, exist_ok=True)
    return subprocess.run(
        [sys.executable, "-c", DRIVER],
        input=json.dumps(work),
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(SCRIPTS), **environment},
    )


@pytest.fixture
def finished(tmp_path: Path) -> Path:
    """A folder with the results of two runs with two seeds each."""
    return write_results(tmp_path / "finished")


@pytest.fixture(scope="session")
def make_results() -> Callable[..., Path]:
    return write_results


@pytest.fixture(scope="session")
def script_jobs() -> Callable[[Path], list[dict[str, Any]]]:
    return jobs


@pytest.fixture(scope="session")
def scripts_runner() -> Callable[..., subprocess.CompletedProcess[str]]:
    return run_scripts


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Mirror]]:
    """Starts mirrors that give the answers told."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    started: list[Mirror] = []

    def start(*answers: Answer) -> Mirror:
        started.append(Mirror(*answers))
        return started[-1]

    yield start
    for server in started:
        server.stop()


@pytest.fixture
def refusing() -> Iterator[str]:
    """An address at which nothing listens, while nobody else can take it."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}"
