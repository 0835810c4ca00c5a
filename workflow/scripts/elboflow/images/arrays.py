"""Kinds of arrays."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

AnyArray = NDArray[Any]
Images = NDArray[np.uint8]  # grey levels or bits
