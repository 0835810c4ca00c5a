"""Ranks that add by Horovod and by torch.distributed: the same numbers, and one state for both."""

import json
import subprocess
import sys
from pathlib import Path

SCRIPTS = Path(__file__).parents[2] / "workflow" / "scripts"
HOROVOD, TORCH = ({"ELBOFLOW_COLLECTIVES": name} for name in ("horovod", "torch"))
RESULTS = ("model.safetensors", "model.json", "metrics.csv")
SHORT = {"precision": "float32", "epochs": 40, "patience": 39}


def started_at(run):
    return json.loads((run.folder / "speed.json").read_text())["started_at_step"]


def test_two_ranks_give_the_same_bits_by_either(experiment):
    """A sum of two numbers has but one order."""
    runs = {name: experiment(name, **SHORT) for name in ("horovod", "torch")}
    for name, run in runs.items():
        env = {"ELBOFLOW_COLLECTIVES": name}
        for result in (run.train(2, env), run.evaluate(2, env)):
            assert result.returncode == 0, result.stderr
    one, other = (run.folder for run in runs.values())
    files = [*RESULTS, *(f"evaluation/{path.name}" for path in (one / "evaluation").iterdir())]
    files.remove("evaluation/speed.json")
    assert len(files) > len(RESULTS)
    assert [
        name for name in files if (one / name).read_bytes() != (other / name).read_bytes()
    ] == []


def test_a_killed_training_goes_on_by_the_other_to_the_same_bits(experiment, kill_in_the_middle):
    straight, killed = experiment("straight", **SHORT), experiment("killed", **SHORT)
    assert straight.train(2, HOROVOD).returncode == 0
    kill_in_the_middle(killed, env=HOROVOD)
    assert killed.train(2, TORCH).returncode == 0
    assert started_at(killed) > 0
    for name in RESULTS:
        assert (killed.folder / name).read_bytes() == (straight.folder / name).read_bytes()
    assert straight.train(2, TORCH).returncode == 0
    assert started_at(straight) == 40 * 10, "a finished training is not repeated by the other"


def test_horovod_is_not_imported_where_torch_was_chosen():
    doors = ["train", "evaluate", "ais_bounds", "score", "measure_scaling", "smoke_test"]
    lines = [f"import sys\nsys.path.insert(0, {str(SCRIPTS)!r})\nsys.modules['horovod'] = None"]
    lines += [f"import elboflow.stages.{door}, elboflow.ranks.worker" for door in doors]
    done = subprocess.run([sys.executable, "-c", "\n".join(lines)], env=TORCH, check=False)
    assert done.returncode == 0


def test_an_environment_without_horovod_is_one_line(launch_command, tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/python").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "bin/python").chmod(0o755)
    words = launch_command(SCRIPTS / "train.py", venv=str(tmp_path))
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.stderr == (
        f"launch.sh: the training environment at '{tmp_path}' has no Horovod: it was built for "
        "environment.collectives: torch\n"
    )
