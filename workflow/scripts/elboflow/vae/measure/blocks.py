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

    Sample k is in block floor(k blocks / K). All weights are kept, 8 bytes for each sample and
    image, and summed at the end: chunk by chunk that took a sixth of the evaluation's time.

    Args:
        samples: K, how many will come for each image.
    """

    def __init__(self, samples: int, images: int, device: torch.device | str = "cpu") -> None:
        self.kept = torch.empty(samples, images, dtype=torch.float64, device=device)
        self.samples = 0

    def add(self, log_weights: Tensor) -> None:
        """Take a chunk of log weights in, shape (K, B), in nats."""
        self.kept[self.samples : self.samples + len(log_weights)] = log_weights
        self.samples += len(log_weights)

    @property
    def log_means(self) -> Tensor:
        """log p(x) as each block estimates it, in nats, shape (B, blocks)."""
        sizes = torch.from_numpy(block_sizes(len(self.kept))).to(self.kept.device)
        place = torch.arange(int(sizes.max()), device=sizes.device)
        rows = (sizes.cumsum(0) - sizes)[:, None] + place  # of the largest size, some too long
        blocks = self.kept[rows.clamp(max=len(self.kept) - 1)]
        beyond = (place >= sizes[:, None]).unsqueeze(-1)
        log_sums = blocks.masked_fill(beyond, -torch.inf).logsumexp(1)
        return log_sums.T - sizes.double().log()
