"""Write digits of scikit-learn at the size of MNIST's, for config/out_of_distribution.yaml.

    python config/enlarged_digits.py enlarged_digits.npy

1797 grey images of 28 x 28: the digits of 8 x 8, drawn at 20 x 20 in the middle as MNIST's are.
"""

import sys

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

SMALL_LEVELS, LEVELS = 16, 255


def enlarge(image: np.ndarray) -> np.ndarray:
    """A digit of levels 0 to 16, shape (8, 8), as levels 0 to 255, shape (28, 28)."""
    grey = Image.fromarray((image * (LEVELS / SMALL_LEVELS)).round().astype(np.uint8))
    return np.pad(np.asarray(grey.resize((20, 20), Image.Resampling.BICUBIC)), 4)


if __name__ == "__main__":
    np.save(sys.argv[1], np.stack([enlarge(image) for image in load_digits().images]))
