"""The metrics of a training as event files of TensorBoard, for those who ask for them.

A job that goes on begins a new file with the epochs of its state, and removes the former one: that
may have epochs that were not saved, and are trained again.
"""

import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from elboflow.files.whole import in_words

FILES = "events.out.tfevents.*"
NO_CURVES = ("epoch", "step")


class EventFile:
    """Appends a scalar for each value of each new epoch, over training steps.

    A folder that cannot be written to is told once, and work goes on.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.epochs = folder, 0
        # Here, since most do not ask for it. Not SummaryWriter: it waits for ever for a full disk.
        from tensorboardX.event_file_writer import EventsWriter

        try:
            forget(folder)
            folder.mkdir(parents=True, exist_ok=True)
            self.writer = EventsWriter(str(folder / "events"))
            self._write(step=0, session_log={"status": 1})  # forget what a former file said
        except OSError as error:
            self._give_up(error)

    def append(self, metrics: Sequence[Mapping[str, float | None]]) -> None:
        """Write the epochs that are not there yet; `metrics` has all rows of metrics.csv."""
        if self.writer is None:
            return
        try:
            for row in metrics[self.epochs :]:
                self._write(step=int(row["step"] or 0), summary={"value": scalars(row)})
            self.epochs = len(metrics)
            self.writer.flush()
        except OSError as error:
            self._give_up(error)

    def _write(self, **event: Any) -> None:
        from tensorboardX.proto.event_pb2 import Event

        self.writer.write_event(Event(wall_time=time.time(), **event))

    def _give_up(self, error: OSError) -> None:
        self.writer = None
        told = f"no events for TensorBoard from here on: {in_words(error, self.folder)}"
        print(told, file=sys.stderr, flush=True)


def forget(folder: Path) -> None:
    """Remove what a former training has told: its curves are not of the one that begins."""
    for former in folder.glob(FILES):
        former.unlink()


def scalars(row: Mapping[str, float | None]) -> list[dict[str, Any]]:
    """The values of an epoch by their tags: train/elbo_nats, validation/elbo_nats, beta ..."""
    return [
        {"tag": tag_of(name), "simple_value": value}
        for name, value in row.items()
        if name not in NO_CURVES and value is not None
    ]


def tag_of(column: str) -> str:
    """The split, under which TensorBoard groups curves, before a slash."""
    split, _, quantity = column.partition("_")
    return f"{split}/{quantity}" if split in ("train", "validation") else column
