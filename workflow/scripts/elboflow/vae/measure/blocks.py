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


def log_block_means(log_weights: Tensor) -> Tensor:
    """log p(x) as each block of samples estimates it, in nats, shape (K, B) to (B, blocks).

    It is the log of the mean weight of a block; sample k is in block floor(k blocks / K).
    """
    sizes = torch.from_numpy(block_sizes(len(log_weights))).to(log_weights.device)
    place = torch.arange(int(sizes.max()), device=sizes.device)
    rows = (sizes.cumsum(0) - sizes)[:, None] + place  # of the largest size, some too long
    blocks = log_weights[rows.clamp(max=len(log_weights) - 1)]
    beyond = (place >= sizes[:, None]).unsqueeze(-1)
    log_sums = blocks.masked_fill(beyond, -torch.inf).logsumexp(1)
    return log_sums.T - sizes.double().log()
