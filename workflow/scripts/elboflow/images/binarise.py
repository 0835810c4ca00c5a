"""Binary images drawn once from grey ones, for validation and test.

Training images are binarised afresh at each visit; what is compared between epochs, runs and
machines must not change, so those of validation and test are frozen here.
"""

import numpy as np
from numpy.typing import NDArray

from elboflow.images.streams import stream

BLOCK = 1 << 22  # pixels at a time, which bounds the memory for the draws to some 100 MB


def binarise_split(
    grey: NDArray[np.uint8], levels: int, seed: int, split: str
) -> NDArray[np.uint8]:
    """Draw each pixel as 1 with probability level / levels.

    Pixel i, counted row by row over all images, is on if u * levels < level * 2**32 holds in
    integers, where u is the upper half of word i of the stream (seed, "b-" + split name). So
    level 0 is never on, the highest level always, and any other is on with a probability that
    is level / levels to within 2**-32. The first images do not depend on how many follow.

    Args:
        grey: levels 0 to `levels`, shape (images, pixels).
        levels: the highest level, at most 255.
        seed: binarisation seed, 0 to 2**64 - 1.
        split: "validation" or "test".

    Returns:
        0 or 1, the shape of `grey`.
    """
    words = stream(seed, f"b-{split[:6]}")
    flat = grey.reshape(-1)
    binary = np.empty_like(flat)
    for start in range(0, flat.size, BLOCK):
        level = flat[start : start + BLOCK].astype(np.uint64)
        draw = words.random_raw(level.size) >> np.uint64(32)
        binary[start : start + BLOCK] = draw * np.uint64(levels) < level << np.uint64(32)
    return binary.reshape(grey.shape)
