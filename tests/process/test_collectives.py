"""Ranks that add by Horovod and by torch.distributed: the same numbers, and one state for both."""

import json
import subprocess
import sys
from pathlib import Path

SCRIPTS = Path(__file__).parents[2] / "workflow" / "scripts"
HOROVOD, TORCH = ({"ELBOFLOW_COLLECTIVES": name} for name in ("horovod", "torch"))
RESULTS = ("model.safetensors", "model.json", "metrics.csv")


def started_at(run):
    return json.loads((run.folder / "speed.json").read_text())["started_at_step"]


def test_two_ranks_give_the_same_bits_by_either(straight_once, long_run, tmp_path):
    """A sum of two numbers has but one order."""
    by_horovod = straight_once.copy(tmp_path / "horovod")
    steps = (by_horovod.evaluate(2, HOROVOD), long_run.train(2, TORCH), long_run.evaluate(2, TORCH))
    assert [done.stderr for done in steps if done.returncode] == []
    one, other = by_horovod.folder, long_run.folder
    files = [*RESULTS, *(f"evaluation/{path.name}" for path in (one / "evaluation").iterdir())]
    files.remove("evaluation/speed.json")
    assert len(files) > len(RESULTS)
    assert [
        name for name in files if (one / name).read_bytes() != (other / name).read_bytes()
    ] == []


def test_a_killed_training_goes_on_by_the_other_to_the_same_bits(
    straight_once, long_run, kill_in_the_middle, tmp_path
):
    straight, killed = straight_once.copy(tmp_path / "straight"), long_run
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
