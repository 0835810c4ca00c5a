"""Whose a file of results is."""

from pathlib import Path


def run_and_seed(path: str | Path) -> tuple[str, int]:
    """Run and seed of a file in results/runs/{run}/seed{seed}/."""
    folder = Path(path).parent
    return folder.parent.name, int(folder.name.removeprefix("seed"))


def scored_dataset(path: str | Path) -> tuple[tuple[str, int], str]:
    """Run and seed, and the data set, of results/runs/{run}/seed{seed}/scores/{dataset}.csv."""
    path = Path(path)
    return run_and_seed(path.parent), path.name.removesuffix(".csv")
