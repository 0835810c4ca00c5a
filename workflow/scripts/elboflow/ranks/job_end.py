"""Stop before the scheduler ends the job, so that the next job can go on.

The launcher hands on ELBOFLOW_DEADLINE, in seconds since 1970, by which the program must have
ended, and ELBOFLOW_CONTINUE, a file to leave where another job is wanted. Neither is set outside of
jobs.
"""

import os
import sys
import time
from pathlib import Path
from typing import NoReturn

TRY_AGAIN = 75  # EX_TEMPFAIL of sysexits.h


def is_due() -> bool:
    """Whether the time of this job is up."""
    return time.time() >= float(os.environ.get("ELBOFLOW_DEADLINE", "inf"))


def go_on_in_another_job(line: str) -> NoReturn:
    """Say so, ask for another job, and end this process at once; its launcher ends the others."""
    print(line, file=sys.stderr, flush=True)
    if wanted := os.environ.get("ELBOFLOW_CONTINUE"):
        Path(wanted).touch()
    sys.stdout.flush()
    os._exit(TRY_AGAIN)
