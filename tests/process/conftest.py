"""Start scripts on several ranks, as the workflow does: through launch.sh."""

import copy
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from elboflow.specification.resolve import resolve, specification
from elboflow.vae.checkpoint import newest

SCRIPTS = Path(__file__).parents[2] / "workflow" / "scripts"
LAUNCH = SCRIPTS / "launch.sh"
Launch = Callable[..., subprocess.CompletedProcess[str]]


def words(
    script: Path | str,
    *arguments: object,
    ranks: int = 2,
    threads: int = 1,
    mpi: str = "mpirun",
    venv: str = sys.prefix,
) -> list[str]:
    """The launcher's words for one node; by default in the environment of these tests."""
    shape = ["--nodes", "1", "--tasks-per-node", str(ranks), "--threads-per-rank", str(threads)]
    tail = ["--mpi", mpi, "--venv", venv, "--", str(script), *map(str, arguments)]
    return [str(LAUNCH), *shape, *tail]


@pytest.fixture(scope="session")
def launch_command() -> Callable[..., list[str]]:
    """The launcher's words, for a test that starts it by itself."""
    return words


@pytest.fixture(scope="session")
def launch() -> Launch:
    """Run a script of the training environment to its end, at most two minutes."""

    def run(
        script: Path | str,
        *arguments: object,
        ranks: int = 2,
        threads: int = 1,
        mpi: str = "mpirun",
        env: dict[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            words(script, *arguments, ranks=ranks, threads=threads, mpi=mpi),
            env={**os.environ, **(env or {})},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run


TOY_RUN = {
    "dataset": "toy",
    "latent_dim": 3,
    "encoder_layers": [16],
    "decoder_layers": [16],
    "flow_hidden": [16],
    "second_layers": [8],
    "prior_components": 4,
    "learning_rate": 0.01,
    "batch_size": 30,
    "epochs": 10,
    "precision": "float64",
    "elbo_samples": 20,
    "importance_samples": 200,  # enough for the mixture of proposal.py
    "chunk_images": 7,
    "chunk_samples": 30,
    "figure_images": 4,
    "ais_images": 0,
    "ais_temperatures": 12,
    "ais_chains": 4,
    "ais_chunk_images": 3,
}

LONG = {"precision": "float32", "epochs": 40, "patience": 39}


class Experiment:
    """One run in a folder of its own, started by hand as the rules do it."""

    def __init__(self, folder: Path, launch: Launch, **changes: object) -> None:
        self.folder, self.launch = folder, launch
        self.specify(**changes)

    def specify(self, **changes: object) -> None:
        """Write run.json with some keys of the run changed."""
        config = {"runs": {"toy_run": {**TOY_RUN, **changes}}}
        document = json.dumps(specification("toy_run", resolve(config, "toy_run")))
        (self.folder / "run.json").write_text(document)

    def copy(self, folder: Path) -> "Experiment":
        """The same run in another folder, with all that it has made."""
        shutil.copytree(self.folder, folder)
        other = copy.copy(self)
        other.folder = folder
        return other

    def states(self) -> Path:
        return self.folder / "state" / "seed1"

    def checkpoints(self) -> list[Path]:
        """The newest checkpoint of every state, the one that was used last at the end."""
        found = self.states().glob("*/checkpoint.pt")
        return sorted(found, key=lambda path: path.parent.stat().st_mtime_ns)

    def flags(self, **values: object) -> list[object]:
        """The words of a stage: those that all have, and its own."""
        model = self.folder / "model.safetensors"
        shared = {"data": self.folder / "data", "seed": 1, "model": model}
        shared |= {"progress": values["state"]}
        pairs = {**shared, **values}.items()
        return [word for name, value in pairs for word in (f"--{name.replace('_', '-')}", value)]

    def train_arguments(self, checkpoint_seconds: float = 60, tensorboard: int = 0) -> list[object]:
        return self.flags(
            training=self.folder / "run.json",
            state=self.states(),
            checkpoint_seconds=checkpoint_seconds,
            tensorboard=tensorboard,
            metrics=self.folder / "metrics.csv",
            speed=self.folder / "speed.json",
        )

    def train(
        self, ranks: int = 1, env: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        return self.launch(SCRIPTS / "train.py", *self.train_arguments(), ranks=ranks, env=env)

    def evaluate_arguments(self) -> list[object]:
        return self.flags(
            evaluation=self.folder / "run.json",
            state=self.folder / "state" / "evaluate",
            output_dir=self.folder / "evaluation",
            speed=self.folder / "evaluation" / "speed.json",
        )

    def evaluate(
        self, ranks: int = 1, env: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        words = self.evaluate_arguments()
        return self.launch(SCRIPTS / "evaluate.py", *words, ranks=ranks, env=env)

    def ais_bounds(
        self, ranks: int = 1, env: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        words = self.flags(
            evaluation=self.folder / "run.json",
            state=self.folder / "state" / "ais_bounds",
            bounds=self.folder / "bounds.csv",
            speed=self.folder / "bounds_speed.json",
        )
        return self.launch(SCRIPTS / "ais_bounds.py", *words, ranks=ranks, env=env)

    def score(
        self, dataset: str, ranks: int = 1, env: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        words = self.flags(
            evaluation=self.folder / "run.json",
            state=self.folder / "state" / f"score_{dataset}",
            dataset=dataset,
            scores=self.folder / "scores" / f"{dataset}.csv",
        )
        return self.launch(SCRIPTS / "score.py", *words, ranks=ranks, env=env)


@pytest.fixture(scope="session")
def scripts() -> Path:
    """Where the workflow's scripts lie."""
    return SCRIPTS


@pytest.fixture
def kill_in_the_middle() -> Callable[..., None]:
    """Start ranks that save after every step, and kill -9 them all after the first save."""

    def kill(run: Experiment, ranks: int = 2, env: dict[str, str] | None = None) -> None:
        arguments = run.train_arguments(checkpoint_seconds=0)
        process = subprocess.Popen(
            words(SCRIPTS / "train.py", *arguments, ranks=ranks),
            env={**os.environ, **(env or {})},
            stderr=subprocess.DEVNULL,
        )
        deadline = time.time() + 60
        while not run.checkpoints() and process.poll() is None and time.time() < deadline:
            time.sleep(0.01)
        for rank in psutil.process_iter(["cmdline"]):  # they outlive their launcher for seconds
            if str(run.folder) in " ".join(rank.info["cmdline"] or []):
                rank.kill()
        process.wait()
        # A kill between the two renames of a save leaves the one before, under its other name.
        (state,) = {path.parent for path in run.states().glob("*/*.pt")}
        assert newest(state)[0] is not None
        assert not (run.folder / "model.safetensors").exists()

    return kill


@pytest.fixture(scope="session")
def experiment_in(launch: Launch, make_data: Callable[..., Path]) -> Callable[..., Experiment]:
    """Make an experiment in a folder, with some keys of its run changed."""

    def make(folder: Path, **changes: object) -> Experiment:
        make_data(folder / "data" / "toy")
        return Experiment(folder, launch, **changes)

    return make


@pytest.fixture
def experiment(
    tmp_path: Path, experiment_in: Callable[..., Experiment]
) -> Callable[..., Experiment]:
    """Make an experiment of the test's own."""
    return lambda name="one", **changes: experiment_in(tmp_path / name, **changes)


# What many tests begin with runs once; who changes anything takes a copy: `trained`, `evaluated`.


@pytest.fixture(scope="session")
def trained_once(
    tmp_path_factory: pytest.TempPathFactory, experiment_in: Callable[..., Experiment]
) -> Experiment:
    """A run of 50 steps that two ranks have trained."""
    run = experiment_in(tmp_path_factory.mktemp("trained") / "one", epochs=5)
    assert run.train(ranks=2).returncode == 0
    return run


@pytest.fixture(scope="session")
def evaluated_once(
    trained_once: Experiment, tmp_path_factory: pytest.TempPathFactory
) -> Experiment:
    """The same run, evaluated by two ranks."""
    run = trained_once.copy(tmp_path_factory.mktemp("evaluated") / "one")
    assert run.evaluate(ranks=2).returncode == 0
    return run


@pytest.fixture(scope="session")
def straight_once(
    tmp_path_factory: pytest.TempPathFactory, experiment_in: Callable[..., Experiment]
) -> Experiment:
    """A run that two ranks have trained, long enough for others to be killed in the middle."""
    run = experiment_in(tmp_path_factory.mktemp("straight") / "one", **LONG)
    assert run.train(ranks=2, env={"ELBOFLOW_COLLECTIVES": "horovod"}).returncode == 0
    return run


@pytest.fixture
def trained(trained_once: Experiment, tmp_path: Path) -> Experiment:
    return trained_once.copy(tmp_path / "one")


@pytest.fixture
def evaluated(evaluated_once: Experiment, tmp_path: Path) -> Experiment:
    return evaluated_once.copy(tmp_path / "one")


@pytest.fixture
def long_run(experiment: Callable[..., Experiment]) -> Experiment:
    """What straight_once has trained, untrained."""
    return experiment("killed", **LONG)
