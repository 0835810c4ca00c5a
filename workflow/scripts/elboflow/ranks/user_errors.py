"""How a rank ends: in one line for what the user can mend, and never leaving others waiting."""

import os
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from elboflow.files.stage_outputs import Edited
from elboflow.files.whole import Damaged, in_words
from elboflow.ranks.state_lock import InUse
from elboflow.vae.checkpoint import CheckpointError
from elboflow.vae.data import DataError
from elboflow.vae.spec import SpecError

# What the user can mend, whatever a program does.
MENDABLE = (CheckpointError, DataError, SpecError, Damaged, Edited, InUse)


@contextmanager
def in_one_line(rank: int, *expected: type[Exception]) -> Iterator[None]:
    """End the process on any error, at once, so that the launcher stops the other ranks.

    Errors of files and specifications, and the `expected` ones, are one line each; any other is a
    defect and keeps its traceback. Mostly all ranks meet the same error: rank 0 says it first and
    alone.
    """
    try:
        yield
    except Exception as error:
        if rank != 0:
            time.sleep(2)
        if isinstance(error, OSError):
            print(f"error: {in_words(error)}", file=sys.stderr, flush=True)
        elif isinstance(error, (*MENDABLE, *expected)):
            print(f"error: {error}", file=sys.stderr, flush=True)
        else:
            traceback.print_exc()
        sys.stdout.flush()
        os._exit(1)  # a normal exit would wait for the other ranks
