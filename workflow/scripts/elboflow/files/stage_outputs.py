"""What a stage writes: all of its outputs or none, and none once an input has been edited.

A run can be edited, and another driver be started, while a job of the former run still works.
"""

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path

from elboflow.files.whole import sha256, whole

Inputs = dict[Path, str | None]
"""The sha256 that each file had when the stage was started; None where it could not be read."""


class Edited(ValueError):
    """An input is no longer what the stage was started with."""


def taken(*paths: Path) -> Inputs:
    """The digests of what a stage is about to read."""
    found: Inputs = dict.fromkeys(paths)
    for path in paths:
        with contextlib.suppress(OSError):  # who reads it says what is wrong
            found[path] = sha256(path)
    return found


def require_unedited(inputs: Inputs) -> None:
    """Refuse to go on with files that are no longer there as they were; raises Edited."""
    now = taken(*inputs)
    for path in inputs:
        if now[path] != inputs[path]:
            raise Edited(f"{path} was edited while this ran: nothing is written; start again")


def write_outputs(
    outputs: Mapping[Path, bytes], inputs: Inputs, unrecorded: Mapping[Path, bytes] | None = None
) -> None:
    """Write all outputs of a stage aside, then rename them together.

    Args:
        unrecorded: outputs that no later stage reads, which need no digest beside them.

    Raises:
        Edited: an input was edited; no output has changed.
    """
    with contextlib.ExitStack() as stack:
        for contents, recorded in ((outputs, True), (unrecorded or {}, False)):
            for path, content in contents.items():
                file = stack.enter_context(whole(path, recorded))
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        require_unedited(inputs)
