"""What surrounds a script of the chapter that computes."""

from collections.abc import Iterator
from contextlib import contextmanager

from threadpoolctl import threadpool_limits

from elboflow.reading.snakemake_script import snakemake_script


@contextmanager
def chapter_script() -> Iterator[None]:
    """Run a script on one thread: their number can change the last digits."""
    with snakemake_script(), threadpool_limits(1):
        yield
