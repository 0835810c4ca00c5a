"""The pace of a training, in few points however long it takes."""

from itertools import pairwise

from elboflow.ranks.speed import MOST_POINTS, Pace


def test_points_are_few_evenly_apart_and_lose_no_image() -> None:
    pace = Pace()
    for _ in range(100_000):
        pace.add(0.03, 10)
    assert pace.images == 1_000_000
    assert MOST_POINTS / 2 < len(pace.points) <= MOST_POINTS
    apart = [after - before for (before, _), (after, _) in pairwise(pace.points)]
    assert max(apart) < 1.5 * min(apart), "no stretch hides what another shows"
    assert all(abs(images - seconds * 1000 / 3) <= 10 for seconds, images in pace.points)
    assert pace.seconds - pace.points[-1][0] <= max(apart)
