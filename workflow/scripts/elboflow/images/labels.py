"""Labels of the images of a data set, for figures alone: no model is trained on them.

They lie beside the images with a labels.json of their own. The manifest of the images, by whose
digest trainings are known, says nothing of them.
"""

import argparse
import json
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from elboflow.files.whole import write_result
from elboflow.images.collection import collect_published
from elboflow.images.errors import BadData
from elboflow.images.session import Limits
from elboflow.images.sources import FASHION_MNIST, MNIST, PublishedFile
from elboflow.images.splits import split
from elboflow.images.writing import write_array

Labels = NDArray[np.uint8]

HEADER = 8  # bytes of an idx file of numbers
DIGITS = [str(digit) for digit in range(10)]
GARMENTS = [
    *("T-shirt/top", "trouser", "pullover", "dress", "coat"),
    *("sandal", "shirt", "sneaker", "bag", "ankle boot"),
]
CLASSES = {"digits": DIGITS, "mnist": DIGITS, "fashion-mnist": GARMENTS}


def read_idx_labels(contents: Mapping[str, bytes]) -> dict[str, Labels]:
    """Numbers of classes, one idx file for each part."""
    return {
        part: np.frombuffer(content, np.uint8, offset=HEADER) for part, content in contents.items()
    }


def _files(train: str, test: str) -> dict[str, PublishedFile]:
    """The files of these digests, with 60,000 and 10,000 labels."""
    return {
        "train": PublishedFile("train-labels-idx1-ubyte", HEADER + 60_000, train),
        "test": PublishedFile("t10k-labels-idx1-ubyte", HEADER + 10_000, test),
    }


# From the same places as the images.
PUBLISHED = {
    "mnist": replace(
        MNIST,
        read=read_idx_labels,
        files=_files(
            "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
            "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        ),
    ),
    "fashion-mnist": replace(
        FASHION_MNIST,
        read=read_idx_labels,
        files=_files(
            "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
            "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
        ),
    ),
}


def load_labels(arguments: argparse.Namespace, limits: Limits) -> dict[str, Labels]:
    """Labels by part, as the source publishes them.

    Raises:
        DataError: they are nowhere to be found, or others than the published ones.
    """
    if arguments.source == "digits":
        from sklearn import datasets as embedded  # a second to import, and only needed here

        return {"train": embedded.load_digits().target.astype(np.uint8)}
    source = PUBLISHED[arguments.source]
    return collect_published(source, arguments.data_dir, arguments.mirrors, limits)


def prepare_labels(arguments: argparse.Namespace, limits: Limits) -> str:
    """Write the labels of each split, in the order of its images; return a line about them.

    Where they are not to be found, none are written, and no class has a name: what is trained and
    measured needs none.
    """
    classes, missing = CLASSES[arguments.source], ""
    counts = {"validation": arguments.validation_images, "test": arguments.test_images}
    try:
        # The choice depends on the numbers of images, and on nothing in them.
        labels = split(load_labels(arguments, limits), counts, arguments.split_seed)
    except BadData as error:
        labels = {name: np.zeros(0, np.uint8) for name in ("train", "validation", "test")}
        classes, missing = [], str(error)
    files = {
        name: {
            "labels": len(own),
            "sha256": write_array(arguments.output_dir / name, own),
        }
        for name, own in ((f"{part}_labels.npy", own) for part, own in labels.items())
    }
    facts = {"dataset": arguments.dataset, "classes": classes, "files": files}
    text = json.dumps(facts, indent=2, sort_keys=True) + "\n"
    write_result(arguments.output_dir / "labels.json", text.encode("ascii"))
    if missing:
        where = arguments.output_dir / "labels.json"
        return f"{missing}; figures go without labels. To look again, delete {where}"
    sizes = ", ".join(f"{len(own)} {part}" for part, own in labels.items())
    return f"{arguments.dataset}: labels of {sizes} images, which no model is trained on"
