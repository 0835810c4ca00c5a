"""RESULTS.md: what was measured, on which machine, with which versions."""

import argparse
import os
import platform
import re
from collections.abc import Sequence
from pathlib import Path

from peers.environments import TORCH, WORKFLOW, pinned
from peers.tables import Comparison, results, short_table

INTRODUCTION = """# Side by side

Written by `make bench` on an idle machine; README.md beside it shows its medians.

A VAE of 784-200-200-50 units and back (tanh, Bernoulli pixels) on the 60,000 training images of
{source}, binarised afresh at each visit, with Adam at a rate of 0.001. All begin with the same
weights and use {cores} cores. Each comparison has rounds, in which every contender works for
{seconds:g} seconds, one after another, while the others are stopped. Rounds in which other
processes took more than {most_others:.0%} of the machine are thrown away. Given are the ratio to
the usual loop, or to get_nll, in the same round: median, least and most over the rounds; the median
of the images per second; and that of the share of what the matrix products alone reach, products of
the same shapes in torch, forwards and backwards, which all have to compute.

The test ELBO is that of the weights after the first {images:,} images shown, computed for all
alike from 10 samples for each of the 10,000 binarised test images. The contenders' random numbers
differ; with the rate of learning constant a contender's own weights differ as much, some half a
nat from one hundred steps to the next. Mean log p(x) is of the first 200 test images, of a model
that the usual loop has trained on as many images, at batch 100.

Nobody validates, logs or saves. pythae and Lightning draw images from the same kind of DataLoader
and binarise them in the same way as the usual loop; pythae's progress bar cannot be switched off,
Lightning's is. get_nll runs without gradients. launch.sh starts ELBOFlow, as in the workflow; its
steps are those of a run that is long enough to be compiled.
"""


def page(comparisons: Sequence[Comparison], args: argparse.Namespace) -> str:
    introduction = INTRODUCTION.format(
        source={"mnist": "MNIST", "fashion-mnist": "Fashion-MNIST"}[args.source],
        cores=args.cores,
        seconds=args.seconds,
        most_others=args.most_others,
        images=args.images,
    )
    return f"{introduction}\n{machine()}\n\n{results(comparisons)}\n"


def machine() -> str:
    """Processor and versions, in one sentence."""
    text, here = Path("/proc/cpuinfo").read_text(), Path(__file__).parent
    model = re.search(r"model name\s*: (.*)", text)
    named = {
        "Python": platform.python_version(),
        "torch": pinned(TORCH, "torch"),
        "Horovod": pinned(WORKFLOW / "horovod.txt", "horovod"),
        "pythae": pinned(here / "pythae.txt", "pythae"),
        "PyTorch Lightning": pinned(here / "lightning.txt", "pytorch-lightning"),
    }
    versions = ", ".join(f"{name} {number}" for name, number in named.items())
    return f"{os.cpu_count()} cores, {model[1] if model else platform.machine()}; {versions}."


def readme_tables(trained: Sequence[Comparison], estimated: Comparison) -> str:
    """The two tables of README.md."""
    first = "images/s against the usual loop"
    return "\n\n".join(
        [short_table(trained, first), short_table([estimated], "images/s against get_nll")]
    )
