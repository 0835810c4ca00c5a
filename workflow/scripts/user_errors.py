"""How a rank ends: in one line for what the user can mend, and never leaving others waiting."""

import os
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from vae.checkpoint import CheckpointError
from vae.data import DataError
from vae.spec import SpecError
from vae.summary import ImpossibleResult
from vae.training import Diverged

EXPECTED = (CheckpointError, DataError, Diverged, ImpossibleResult, OSError, SpecError)


@contextmanager
def in_one_line(rank: int) -> Iterator[None]:
    """End the process on any error, at once, so that the launcher stops the other ranks.

    Mostly all ranks meet the same error: rank 0 says it first and alone.
    """
    try:
        yield
    except Exception as error:
        if rank != 0:
            time.sleep(2)
        if isinstance(error, EXPECTED):
            print(f"error: {error}", file=sys.stderr, flush=True)
        else:
            traceback.print_exc()
        sys.stdout.flush()
        os._exit(1)  # a normal exit would wait for the other ranks
