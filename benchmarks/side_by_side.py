"""ELBOFlow beside what it wants to replace: training, and log p(x).

    make bench                                     # writes RESULTS.md, and tables of README.md
    python benchmarks/side_by_side.py --batches 100 --rounds 1 --seconds 1 --most-others 1

In each round every contender works for some seconds, one after another, all others stopped. Speeds
are compared within a round; a round in which other processes took more than --most-others of the
machine is thrown away and taken again. Needs Linux, and a machine that does nothing else.
"""

import argparse
import math
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow" / "scripts"))

from peers.contenders import LOG_LIKELIHOOD, TRAINING, Start
from peers.elbo import elbo, initial_weights
from peers.page import page, readme_tables
from peers.processes import Contender
from peers.rounds import Turn, take_rounds
from peers.tables import LIMIT, Comparison, between_markers

ROOT = Path(__file__).parents[1]
IMAGES_OF_A_CHUNK = 20
COMPARED = 200  # images of log p(x) that are printed beside


def prepare(source: str, folder: Path) -> None:
    """Images for all contenders, and the weights that they begin with."""
    command = [sys.executable, ROOT / "workflow/scripts/fetch_data.py", "--dataset", source]
    command += ["--source", source, "--validation-images", 1, "--split-seed", 1]
    command += ["--binarisation-seed", 1, "--output-dir", folder]
    subprocess.run(list(map(str, command)), check=True)
    # At least one is drawn for validation, which nobody does here: all published ones train.
    parts = [np.load(folder / f"{split}.npy") for split in ("train", "validation")]
    np.save(folder / "train.npy", grey := np.concatenate(parts))
    np.savez(folder / "initial.npz", **initial_weights(grey))


def warmed_up(made: Contender, images: int, folder: Path) -> dict[str, Any]:
    """What it has to show after its first so many images."""
    made.ask(images)
    made.ask(f"save {folder / made.name}.npz")
    print(f"{made.name}: ready", file=sys.stderr)
    return dict(np.load(folder / f"{made.name}.npz"))


def paced(made: Contender, images: dict[str, int], seconds: float) -> Turn:
    """A turn of about so many seconds, of as many images as the turn before tells."""
    taken = made.turn(images[made.name])
    while (wanted := math.ceil(taken.images_per_second * seconds)) > 2 * images[made.name]:
        images[made.name] = wanted
        taken = made.turn(wanted)
    images[made.name] = wanted
    return taken


def compare(
    words: Mapping[str, list[Any]],
    warm_up: int,
    worth: Callable[[dict[str, Any]], float],
    start: Start,
    args: argparse.Namespace,
) -> dict[str, Any]:
    """Start the contenders, let each work on `warm_up` images, and take the rounds."""
    contenders, reached = {}, {}
    with ExitStack() as stack:
        for name in words:
            made = Contender(name, words[name], start.variables, start.folder)
            contenders[name] = stack.enter_context(made)
            shown = warmed_up(made, warm_up, start.folder)
            if name != LIMIT:
                reached[name] = worth(shown)
        images = dict.fromkeys(words, warm_up // 10)
        rounds = take_rounds(
            lambda name: paced(contenders[name], images, args.seconds),
            list(words),
            args.rounds,
            args.most_others,
            args.most_thrown,
        )
    if not rounds.kept:
        raise SystemExit(f"the machine is not quiet: {rounds.thrown} rounds thrown away, none kept")
    return {"rounds": rounds, "reached": reached}


def training(batch: int, start: Start, args: argparse.Namespace) -> Comparison:
    binary = np.load(start.folder / "test_binary.npy")
    words = {name: start.training(name, batch) for name in TRAINING}
    found = compare(words, args.images, lambda weights: elbo(weights, binary), start, args)
    labels = {name: label.format(cores=start.cores) for name, label in TRAINING.items()}
    return Comparison(f"batch {batch}", labels, "usual", **found, quantity="test ELBO")


def log_likelihood(start: Start, args: argparse.Namespace) -> Comparison:
    usual = start.training("usual", 100)
    with Contender("trained", usual, start.variables, start.folder) as made:
        warmed_up(made, args.images, start.folder)
    words = {name: start.log_likelihood(name, IMAGES_OF_A_CHUNK) for name in LOG_LIKELIHOOD}

    def mean(shown: dict[str, Any]) -> float:
        return float(shown["log_likelihood"][:COMPARED].mean())

    found = compare(words, COMPARED, mean, start, args)
    labels = {name: label.format(cores=start.cores) for name, label in LOG_LIKELIHOOD.items()}
    return Comparison("log p(x), K = 1000", labels, "pythae", **found, quantity="mean log p(x)")


def main(args: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory(prefix="side_by_side.") as name:
        start = Start(args.cores, args.environment.resolve(), Path(name))
        prepare(args.source, start.folder)
        trained = [training(batch, start, args) for batch in args.batches]
        estimated = log_likelihood(start, args)
    text = page([*trained, estimated], args)
    if not args.write:
        print(text)
        return
    (ROOT / "benchmarks" / "RESULTS.md").write_text(text)
    readme = ROOT / "benchmarks" / "README.md"
    readme.write_text(between_markers(readme.read_text(), readme_tables(trained, estimated)))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--batches", type=int, nargs="*", default=[20, 100, 1000])
    parser.add_argument("--rounds", type=int, default=9, help="rounds to keep")
    parser.add_argument("--seconds", type=float, default=2.0, help="length of a turn")
    parser.add_argument("--images", type=int, default=180_000, help="shown for the test ELBO")
    parser.add_argument("--cores", type=int, default=2, help="threads, or ranks, of a contender")
    parser.add_argument("--most-others", type=float, default=0.03, help="share of the machine")
    parser.add_argument("--most-thrown", type=int, default=40, help="rounds of a comparison")
    parser.add_argument("--source", default="fashion-mnist", choices=["fashion-mnist", "mnist"])
    parser.add_argument("--environment", type=Path, default=ROOT / ".test-environment" / "venv")
    parser.add_argument("--write", action="store_true", help="RESULTS.md, and tables of README.md")
    # Contenders that are stopped would outlive an end without `finally`.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    arguments = parser.parse_args()
    if arguments.write and not arguments.batches:
        parser.error("--write needs --batches")
    main(arguments)
