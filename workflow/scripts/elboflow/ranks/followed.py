"""What a training tells those who follow it while it runs; rank 0 alone says anything."""

from pathlib import Path

from elboflow.ranks.place import Worker
from elboflow.ranks.progress import Progress
from elboflow.ranks.tensorboard import EventFile
from elboflow.ranks.told import METRICS, show
from elboflow.vae.training.training import Training


class Followed:
    """Progress and, beside it, the metrics so far as METRICS, and events for TensorBoard.

    Args:
        folder: in which both are told.
        events: the folder of event files; None where nobody asked for them.
    """

    def __init__(
        self, training: Training, title: str, folder: Path, events: Path | None, worker: Worker
    ) -> None:
        self.training, self.folder, self.first = training, folder, worker.rank == 0
        self.batch = training.spec.batch_size
        total, done = training.steps * self.batch, training.step * self.batch
        self.progress = Progress(title, total, done, silent=not self.first, folder=folder)
        self.events = EventFile(events) if events and self.first else None

    def step(self) -> None:
        """A step is done."""
        if self.progress.advance(self.batch, self.training.summary):
            self._tell()

    def close(self) -> None:
        """Training is over."""
        if self.first:
            self._tell()
        self.progress.close(self.training.summary)

    def _tell(self) -> None:
        if self.training.metrics:
            show(self.folder / METRICS, self.training.metrics_csv())
            if self.events:
                self.events.append(self.training.metrics)
