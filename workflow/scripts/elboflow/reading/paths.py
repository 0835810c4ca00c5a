"""Whose a file of results is."""

from pathlib import Path


def run_and_seed(path: str | Path) -> tuple[str, int]:
    """Run and seed of a file in results/runs/{run}/seed{seed}/."""
    folder = Path(path).parent
    return folder.parent.name, int(folder.name.removeprefix("seed"))
