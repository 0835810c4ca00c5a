"""benchmarks/gpu_check.sh where there is no GPU: what it refuses, and its rehearsal."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def gpu_check(*arguments: object) -> subprocess.CompletedProcess[str]:
    words = [ROOT / "benchmarks/gpu_check.sh", *arguments]
    hidden = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    return subprocess.run(
        list(map(str, words)), env=hidden, capture_output=True, text=True, timeout=300, check=False
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--python", "no-such-python", "--no-gpu"], "no-such-python has no PyTorch"),
        (["--wheels"], "--wheels needs a value"),
        (["--wheels", "/no/such/folder", "--no-gpu"], "there is no folder /no/such/folder"),
        (["--wheel", "x"], "unknown option --wheel; --help lists them"),
    ],
)
def test_a_wrong_call_is_one_line(arguments, message):
    done = gpu_check(*arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_the_rehearsal_builds_trains_and_prints_the_table(tmp_path):
    done = gpu_check("--no-gpu", "--python", sys.executable, "--folder", tmp_path)
    assert done.returncode == 0, done.stderr
    rows = [line.split(" | ") for line in done.stdout.splitlines() if line.startswith("| ")]
    assert [row[0].strip("| ") for row in rows] == [
        "precision",
        "float32",
        "float32",
        "tf32",
        "bf16",
    ]
    assert "a rehearsal" in done.stdout
    assert "GPU tests skipped" in done.stdout
    assert rows[3][-1].startswith("+0.00000"), "tf32 is float32 on a CPU"
    assert rows[4][-1] != rows[3][-1]
