"""How far long work on images is, on stderr."""

from typing import TextIO

from elboflow.images.progress import ProgressLine

SECONDS_BETWEEN_LINES = 10.0


class Progress(ProgressLine):
    """Called with the number of images that are done; says so now and then."""

    def __init__(self, title: str, total: int, stream: TextIO | None = None) -> None:
        super().__init__(title, SECONDS_BETWEEN_LINES, stream)
        self.total, self.began = total, self.last

    def __call__(self, done: int) -> None:
        if self.is_due():
            left = (self.last - self.began) / done * (self.total - done)
            self.show(f"{done} of {self.total} images, {left:.0f} s left")
