"""Ask the scheduler's programs; neither a slow answer nor a Ctrl-C leaves a question open."""

import contextlib
import os
import re
import signal
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

LONGEST_COMPLAINT = 400  # characters
TIMEOUT = 120  # seconds: a scheduler under load may take its time
LONGEST = (
    100_000  # characters of ids in one command line; Linux takes 128 KiB in one word, 2 MiB in all
)
# What terminals read as orders: colours, titles, and characters that do not print.
ORDERS = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[ -/]*[0-~])")
UNPRINTABLE = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]"
)


def plain(text: str) -> str:
    """A text without what is not of its letters, but with its blanks, tabs and ends of lines."""
    lines = ORDERS.sub("", text).replace("\r\n", "\n").replace("\r", "\n")
    return UNPRINTABLE.sub("", lines)


@dataclass(frozen=True)
class Answer:
    """What a program printed, and its exit code: 127 where there is none, 124 where it hung.

    Its text is plain: colours and control characters stand in no word that we look for.
    """

    stdout: str
    stderr: str
    exit_code: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "stdout", plain(self.stdout))
        object.__setattr__(self, "stderr", plain(self.stderr))

    @property
    def said(self) -> str:
        return f"{self.stdout}\n{self.stderr}"

    @property
    def complaint(self) -> str:
        """What it said is wrong, in one line."""
        said = " ".join((self.stderr.strip() or self.stdout.strip()).split())
        if len(said) > LONGEST_COMPLAINT:
            said = f"{said[: LONGEST_COMPLAINT // 2]} … {said[-LONGEST_COMPLAINT // 2 :]}"
        return said or f"exit code {self.exit_code} without a word"


def ask(words: Sequence[str]) -> Answer:
    """Run a command to its end.

    In a session of its own, because a Ctrl-C in the terminal reaches all programs of the session: a
    qsub that is interrupted may have submitted its job without saying so.
    """
    try:
        process = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        return Answer("", f"{words[0]}: {error.strerror}", 127)
    with process:
        try:
            stdout, stderr = process.communicate(timeout=TIMEOUT)
        except subprocess.TimeoutExpired as hung:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # also what a site's wrapper has started
            late = f"\n{words[0]}: no answer within {TIMEOUT} s".encode()
            return Answer(decoded(hung.stdout), decoded((hung.stderr or b"") + late), 124)
    return Answer(decoded(stdout), decoded(stderr), process.returncode)


def decoded(told: bytes | None) -> str:
    return (told or b"").decode(errors="replace")


def chunks(job_ids: Iterable[str], longest: int = LONGEST) -> Iterator[list[str]]:
    """Split ids into as few lists as a command line can hold."""
    chunk: list[str] = []
    length = 0
    for job_id in job_ids:
        if chunk and length + len(job_id) + 1 > longest:
            yield chunk
            chunk, length = [], 0
        chunk.append(job_id)
        length += len(job_id) + 1
    if chunk:
        yield chunk
