"""Kill processes of the workflow at random moments, over and over, and compare what comes out.

    python tests/soak.py --minutes 20 [--seed 1]

A round starts without results and runs Snakemake. After a random time one victim is killed with
-9: Snakemake, mpirun, one rank, all ranks, or everything at once. The same command is started
again, now and then before the last of the old processes are gone, until it comes to its end
undisturbed. Each file of tables, figures, report and results/runs must then be the same bytes as
those of a first run that nobody disturbed. The exit code is 1 where one is not, or where processes
are left behind.
"""

import argparse
import contextlib
import hashlib
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import psutil

from checkout import REPOSITORY, TINY, Checkout

CONFIG = {
    **TINY,
    "defaults": {**TINY["defaults"], "epochs": 400, "batch_size": 100, "importance_samples": 2000},
    "runs": {"plain": {}, "bounded": {"ais_images": 20, "ais_temperatures": 60}},
}
REPRODUCIBLE = ("report.html", "tables", "figures", "runs")
STAGES = REPOSITORY / "workflow" / "scripts" / "elboflow" / "stages"
UNDER_MPIRUN = tuple(path.name for path in STAGES.glob("*.py"))  # doors have the names of these
PATIENCE = 15  # seconds for all processes to be gone after their Snakemake is
MEAN_LIFE = 6.0  # seconds until a victim is killed


def main() -> None:
    args = parse_args()
    chance = random.Random(args.seed)
    with tempfile.TemporaryDirectory(prefix="elboflow-soak-") as folder:
        checkout = prepare(Path(folder) / "checkout")
        checkout.run()
        expected = digests(checkout)
        kills: Counter[str] = Counter()
        rounds = different = left_behind = 0
        until = time.monotonic() + args.minutes * 60
        while time.monotonic() < until:
            shutil.rmtree(checkout.folder / "results")
            checkout.borrow_environment()
            left_behind += one_round(checkout, chance, kills, until)
            rounds += 1
            if changed := differing(expected, digests(checkout)):
                different += 1
                print(f"round {rounds}: not the same: {', '.join(changed)}", flush=True)
            print(f"round {rounds}: {sum(kills.values())} kills so far", flush=True)
    told = ", ".join(f"{count} of {victim}" for victim, count in sorted(kills.items()))
    print(
        f"{args.minutes:g} minutes, seed {args.seed}: {sum(kills.values())} kills ({told}) in "
        f"{rounds} rounds; {rounds - different} of them ended with the same {len(expected)} files "
        f"byte for byte; processes left behind: {left_behind}"
    )
    sys.exit(1 if different or left_behind or not rounds else 0)


def prepare(folder: Path) -> Checkout:
    """A checkout whose trainings save each second, so that a killed one can go on."""
    checkout = Checkout.fresh(folder)
    checkout.configure(CONFIG)
    checkout.borrow_environment()
    rule = folder / "workflow" / "rules" / "train.smk"
    rule.write_text(rule.read_text().replace("checkpoint_seconds=60", "checkpoint_seconds=1"))
    return checkout


def one_round(checkout: Checkout, chance: random.Random, kills: Counter[str], until: float) -> int:
    """Run to the end, with kills on the way; how many processes outlived their Snakemake."""
    left_behind = 0
    while True:
        checkout.snakemake("--unlock", "--quiet")
        driver = start(checkout)
        life = chance.expovariate(1 / MEAN_LIFE) if time.monotonic() < until else 600.0
        victim = kill(chance, driver, life)
        if victim is None and driver.wait(600) == 0:
            return left_behind
        if victim:
            kills[victim] += 1
        driver.wait(600)  # without its ranks it fails, or goes on with the other run
        if chance.random() < 0.7:
            left_behind += outliving(checkout.folder)


def start(checkout: Checkout) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-m", "snakemake", "--cores", "2", "--rerun-incomplete"]
    with (checkout.folder / "soak.log").open("ab") as log:
        return subprocess.Popen(words, cwd=checkout.folder, stdout=log, stderr=log)


def kill(chance: random.Random, driver: subprocess.Popen[bytes], life: float) -> str | None:
    """Kill a random victim after `life` seconds; None where Snakemake ended before."""
    try:
        driver.wait(life)
        return None
    except subprocess.TimeoutExpired:
        pass
    family = family_of(driver)
    ranks = [process for process in family if is_rank(process)]
    launchers = [process for process in family if process.name() == "mpirun"]
    choices = {
        "Snakemake": [psutil.Process(driver.pid)],
        "everything": [psutil.Process(driver.pid), *family],
        **({"mpirun": launchers[:1]} if launchers else {}),
        **({"one rank": [chance.choice(ranks)], "all ranks": ranks} if ranks else {}),
    }
    victim = chance.choice(list(choices))
    for process in choices[victim]:
        end(process)
    return victim


def end(process: psutil.Process) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        process.kill()


def family_of(driver: subprocess.Popen[bytes]) -> list[psutil.Process]:
    """What the driver has started and what these have."""
    try:
        return psutil.Process(driver.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def is_rank(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error):
        words = process.cmdline()
        return "python" in words[0] and any(word.endswith(UNDER_MPIRUN) for word in words[1:3])
    return False


def outliving(folder: Path) -> int:
    """Processes that still work in the folder when they should long have ended; they are killed."""
    deadline = time.monotonic() + PATIENCE
    while (there := working_in(folder)) and time.monotonic() < deadline:
        time.sleep(0.5)
    for process in there:
        print(f"left behind: {process}", flush=True)
        end(process)
    return len(there)


def working_in(folder: Path) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if process.status() != psutil.STATUS_ZOMBIE and Path(process.cwd()) == folder:
                found.append(process)
        except psutil.Error:
            continue
    return found


def digests(checkout: Checkout) -> dict[str, str]:
    """sha256 of every file that must not depend on what happened on the way."""
    results = checkout.folder / "results"
    files = [
        file
        for name in REPRODUCIBLE
        for file in [results / name, *sorted((results / name).rglob("*"))]
        if file.is_file()
    ]
    return {
        str(file.relative_to(results)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in files
    }


def differing(one: dict[str, str], other: dict[str, str]) -> list[str]:
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=20.0, help="how long to go on")
    parser.add_argument("--seed", type=int, default=1, help="of victims and moments")
    return parser.parse_args()


if __name__ == "__main__":
    main()
