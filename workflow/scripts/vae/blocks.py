"""Importance weights in disjoint blocks of samples: draws of the bound at smaller K, free."""

import numpy as np
import torch
from torch import Tensor

MOST_HALVINGS = 6


def block_count(samples: int) -> int:
    """Into how many blocks K samples are split: a power of two, at most 64 and at most K."""
    return 2 ** min(MOST_HALVINGS, samples.bit_length() - 1)


def block_sizes(samples: int) -> np.ndarray:
    """Samples in each of these blocks, which differ by one at most, shape (blocks,)."""
    count = block_count(samples)
    first = -(-np.arange(count + 1) * samples // count)
    return np.diff(first)


class Blocks:
    """The log of the mean weight within each block, of weights that arrive in chunks of samples.

    Sample k is in block floor(k blocks / K).

    Args:
        samples: K, how many will come for each image.
    """

    def __init__(self, samples: int, images: int, device: torch.device | str = "cpu") -> None:
        self.ends = np.cumsum(block_sizes(samples)).tolist()
        shape = len(self.ends), images
        self.log_sums = torch.full(shape, -torch.inf, dtype=torch.float64, device=device)
        self.samples = 0

    def add(self, log_weights: Tensor) -> None:
        """Take a chunk of log weights in, float64, shape (K, B), in nats."""
        while len(log_weights):
            block = np.searchsorted(self.ends, self.samples, side="right")
            piece = log_weights[: self.ends[block] - self.samples]
            log_sum = torch.logaddexp(self.log_sums[block], piece.logsumexp(0))
            self.log_sums[block] = log_sum
            self.samples += len(piece)
            log_weights = log_weights[len(piece) :]

    @property
    def log_means(self) -> Tensor:
        """log p(x) as each block estimates it, in nats, shape (B, blocks)."""
        log_sizes = np.log(np.diff(self.ends, prepend=0))
        return self.log_sums.T - torch.from_numpy(log_sizes).to(self.log_sums.device)
