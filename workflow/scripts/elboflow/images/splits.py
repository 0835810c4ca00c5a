"""Training, validation and test images that share no image."""

import itertools
from collections.abc import Mapping

import numpy as np

from elboflow.images.arrays import Images
from elboflow.images.errors import BadData
from elboflow.images.mapped import keep_rows
from elboflow.images.streams import drawn_order

LEAST = {
    "validation": (1, "at least 1 is needed"),
    "test": (2, "at least 2 are needed for standard errors"),
}
HELD_OUT = ("test", "validation")  # in the order in which they are drawn from the training images


def split(
    parts: Mapping[str, Images], counts: Mapping[str, int | None], seed: int
) -> dict[str, Images]:
    """Training, validation and test images out of the `parts` that a source publishes.

    A held-out part that the source lacks is drawn from its training images without replacement;
    the rest stays for training, in its published order. A held-out part that the source has is
    taken whole, or, if fewer images are asked for, as a random choice: published files may be
    sorted (the first half of MNIST's test images is easier than the second), and their first
    images would not stand for the rest. Fewer images are always the first of the more.

    Args:
        parts: "train", and where published "validation" and "test"; each (images, pixels).
        counts: images wanted for "validation" and "test"; None takes a published part whole.
        seed: 0 to 2**64 - 1.

    Raises:
        DataError: more images are asked for than there are, or too few.
    """
    _check_counts(parts, counts)
    train = parts["train"]
    order = drawn_order(len(train), seed, "split")
    result: dict[str, Images] = {}
    for name in HELD_OUT:
        if name in parts:
            result[name] = _choose(parts[name], counts[name], seed, name)
        else:
            result[name], order = train[order[: counts[name]]], order[counts[name] :]
    return {"train": keep_rows(train, np.sort(order)), **result}


def refuse_same(parts: Mapping[str, Images]) -> None:
    """Raise DataError if two of the parts are the same images: a test on them would be none."""
    for one, other in itertools.combinations(parts, 2):
        if np.array_equal(parts[one], parts[other]):
            raise BadData(
                f"{one} and {other} hold the same images; give each part images of its own"
            )


def _choose(images: Images, count: int | None, seed: int, name: str) -> Images:
    """The published images as they are, or the first `count` in a drawn order."""
    if count is None or count == len(images):
        return images
    return images[drawn_order(len(images), seed, f"p-{name[:6]}")[:count]]


def _check_counts(parts: Mapping[str, Images], counts: Mapping[str, int | None]) -> None:
    drawn = 0
    for name in HELD_OUT:
        count = counts[name]
        if count is None and name not in parts:
            raise BadData(f"has no {name} images of its own; set {name}_images")
        least, need = LEAST[name]
        if count is not None and count < least:
            raise BadData(f"{name}_images is {count}; {need}")
        if name in parts and len(parts[name]) < least:
            raise BadData(f"{len(parts[name])} {name} image; {need}")
        if name in parts and count is not None and count > len(parts[name]):
            raise BadData(f"{name}_images is {count}, but there are {len(parts[name])}; lower it")
        drawn += 0 if name in parts else count or 0
    if drawn >= len(parts["train"]):
        wanted = " and ".join(f"{counts[n]} {n}" for n in HELD_OUT if n not in parts)
        raise BadData(
            f"{len(parts['train'])} images cannot give {wanted} images and leave any for training; "
            f"lower validation_images or test_images"
        )
