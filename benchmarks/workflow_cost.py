"""What it costs to plan: a dry run, and a call that finds all results made, by the number of runs.

    python benchmarks/workflow_cost.py --runs 1 50 200 1000

Nothing is trained. For the second kind of call all results are empty files, specifications apart,
with their digests and Snakemake's records, which `--touch` writes. Seconds are the processor's:
other work on the machine hardly changes them, and without it as many pass.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

CHECKOUT = Path(__file__).parents[1]
SEEDS = [1, 2]
CONFIG = f"""
datasets:
  digits: {{source: digits, validation_images: 200, test_images: 397}}
defaults: {{dataset: digits, epochs: 300, seeds: {SEEDS}, tasks_per_node: 2}}
runs:
"""
# At the end of a Snakefile: the specifications, which are compared with the configuration.
FREEZE = """
from elboflow.specification.resolve import write_specification

for run in RUNS:
    for file in SPECIFICATIONS:
        specified = Path(located(f"<experiment>/runs/{run}/{file}.json"))
        write_specification(json.loads(document_of(run, file)), specified)
"""


def prepare(folder: Path, runs: int) -> None:
    """A checkout whose configuration has so many runs."""
    for name in ("workflow", "config", "Snakefile"):
        (folder / name).symlink_to(CHECKOUT / name)
    lines = [f"  run_{run:04d}: {{latent_dim: {2 + run % 50}}}\n" for run in range(runs)]
    (folder / "runs.yaml").write_text(CONFIG + "".join(lines))


def snakemake(folder: Path, *words: str) -> tuple[str, float, float]:
    """What a call prints, its processor seconds, and the most memory that it has, in MiB."""
    command = [sys.executable, "-I", "-m", "snakemake", "--cores", "2", "--configfile", "runs.yaml"]
    process = subprocess.Popen(
        [*command, *words], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert process.stdout
    printed = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(printed)
    return printed, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def finish(folder: Path) -> None:
    """Make all results, empty."""
    sys.path.insert(0, str(CHECKOUT / "workflow/scripts"))
    from elboflow.files.whole import write_result

    freezing = folder / "freezing"
    freezing.write_text((CHECKOUT / "Snakefile").read_text() + FREEZE)
    summary, *_ = snakemake(folder, "--snakefile", freezing.name, "--summary")
    for line in summary.splitlines():
        path = folder / line.partition("\t")[0]
        if path.name == "venv":
            path.mkdir(parents=True)
        elif line.startswith("results/") and not path.exists():
            write_result(path, b"")
    snakemake(folder, "--touch", "--quiet", "all")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, nargs="+", default=[1, 50, 200, 1000])
    print(f"{'runs':>6} {'-n':>8} {'':>9} {'no-op':>8}   of {len(SEEDS)} seeds each")
    for runs in parser.parse_args().runs:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            prepare(folder, runs)
            _, *planned = snakemake(folder, "-n", "--quiet", "all")
            finish(folder)
            printed, *nothing = snakemake(folder)
        if "Nothing to be done" not in printed:
            raise SystemExit(printed)
        figures = [f"{seconds:6.1f} s {memory:5.0f} MiB" for seconds, memory in (planned, nothing)]
        print(f"{runs:6d} {' '.join(figures)}", flush=True)


if __name__ == "__main__":
    main()
