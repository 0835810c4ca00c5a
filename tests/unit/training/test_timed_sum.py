"""Times of a step, split into computing, waiting, adding and the latency of meeting."""

import numpy as np
import pytest

from elboflow.ranks.timed_sum import split_of


def test_each_part_goes_where_it_belongs() -> None:
    """Two ranks: one computes 5, the other 3 and waits 2; to meet takes 0.1, to add 1."""
    times = np.zeros((2, 4, 3))
    for rank, (computing, zero) in enumerate([(5.0, 0.0), (3.0, 1000.0)]):  # clocks of their own
        for step in range(4):
            began = zero + step * 6.1
            times[rank, step] = [began + computing, began + 5.1, began + 6.1]
    parts = split_of(times)
    assert parts == pytest.approx({"computing": 4, "waiting": 1, "adding": 1, "latency": 0.1})
    assert sum(parts.values()) == pytest.approx(6.1)


def test_one_rank_waits_for_nobody() -> None:
    times = np.arange(5.0)[None, :, None] + np.array([0.5, 0.5, 0.5])
    assert split_of(times) == pytest.approx(
        {"computing": 1, "waiting": 0, "adding": 0, "latency": 0}
    )
