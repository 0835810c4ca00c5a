"""What surrounds a script that Snakemake runs: whole inputs, and errors in one line."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from elboflow.files.whole import Damaged, in_words, verify
from elboflow.reading.errors import InputError


def _inputs_of_script() -> list[str]:
    """What Snakemake gave to the script that runs."""
    given = getattr(sys.modules["__main__"], "snakemake", None)
    return given.input if given and isinstance(given.input, list) else []


@contextmanager
def snakemake_script() -> Iterator[None]:
    """Run a script on inputs that are as they were written.

    What the user can mend ends it with one line instead of a traceback.
    """
    try:
        for path in _inputs_of_script():
            verify(path)
        yield
    except (InputError, Damaged) as error:
        raise SystemExit(f"error: {error}") from None
    except OSError as error:
        raise SystemExit(f"error: {in_words(error)}") from None
