"""One Snakemake per working directory, also across hosts and after a kill -9.

Snakemake's own lock outlives a killed process; this one is renewed every minute by the process that
holds it, and free when it was not. What is in the lease's place and names nobody is nobody's.
"""

import contextlib
import json
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from snakemake_interface_common.exceptions import WorkflowError

from . import files

RENEW = 60  # seconds
STALE = 4 * RENEW
ENDED = "ended"  # a process of which only the parent has not heard yet
SETTLED = 2.0  # seconds after which a lease that is being written is whole


class Lease:
    """A file that names its holder and is touched while the holder lives.

    Args:
        tell: is given a line for the user.
    """

    def __init__(
        self,
        path: Path,
        renew: float = RENEW,
        stale: float = STALE,
        tell: Callable[[str], None] = print,
    ) -> None:
        self.path, self.renew, self.stale, self.tell = path, renew, stale, tell
        self.here, process = socket.gethostname(), os.getpid()
        self.part = path.with_name(f"{path.name}.{self.here}.{process}")
        holder = {"host": self.here, "process": process, "started": started(process)}
        self.mine = json.dumps({**holder, "lease": secrets.token_hex(4)})
        self._stop = threading.Event()
        self._renewing = threading.Thread(target=self._keep, daemon=True)

    @property
    def lost(self) -> bool:
        """Whether another took it over, not having heard of this process for too long."""
        with contextlib.suppress(OSError):
            text = files.read(self.path, files.LINE)
            return text != self.mine and holder_in(text) is not None
        return False

    def acquire(self) -> None:
        """Take the lease and keep it fresh until it is released.

        Raises:
            WorkflowError: another live process holds it, or there can be none.
        """
        try:
            if not self._create():
                self._succeed()
        except OSError as error:
            raise WorkflowError(
                f"{error.strerror}: {self.path}, which keeps two Snakemakes from working in this "
                "directory at once, cannot be made or read: see to that, and remove what is in its "
                "place if no other Snakemake is at work here"
            ) from None
        self._renewing.start()

    def release(self) -> None:
        """Give the lease up, if it is still ours."""
        self._stop.set()
        if self._renewing.is_alive():
            self._renewing.join(timeout=SETTLED)
        if self._is_mine():
            files.remove(self.path)

    def _create(self) -> bool:
        try:
            self.part.write_text(self.mine)
            os.link(self.part, self.path)  # fails where it exists, on network file systems too
        except FileExistsError:
            return self._is_mine()  # a network's second try of what had succeeded
        except OSError:  # a file system without hard links
            return self._create_bare()
        finally:
            files.remove(self.part)
        return True

    def _create_bare(self) -> bool:
        """Make the file itself; killed in between, it leaves one that names nobody."""
        try:
            with self.path.open("x") as file:
                file.write(self.mine)
        except FileExistsError:
            return False
        except OSError:
            files.remove(self.path)
            raise
        return self._is_mine()

    def _succeed(self) -> None:
        """Take the lease of one that is no more."""
        holder = self._holder()
        if holder is None:
            time.sleep(min(SETTLED, self.renew))
            holder = self._holder()
        if holder is None:
            self.tell(f"{self.path} is damaged, and so nobody's: taking it over")
        elif self._is_alive(holder):
            raise WorkflowError(
                f"another Snakemake is at work in this directory: process {holder['process']} on "
                f"{holder['host']}; wait for it or stop it (if it was killed, its lease ends after "
                f"{self.stale / 60:.0f} min: {self.path})"
            )
        self._take_over()

    def _take_over(self) -> None:
        """Replace a stale lease; of two that try at once the later wins, and the other sees it."""
        files.write_whole(self.path, self.mine, self.part)
        time.sleep(min(SETTLED, self.renew))
        if not self._is_mine():
            raise WorkflowError("another Snakemake has just started in this directory; wait for it")

    def _is_mine(self) -> bool:
        with contextlib.suppress(OSError):
            return files.read(self.path, files.LINE) == self.mine
        return False

    def _holder(self) -> dict[str, Any] | None:
        """Whom the lease names; None where it is released just now, or names nobody."""
        with contextlib.suppress(FileNotFoundError):
            return holder_in(files.read(self.path, files.LINE))
        return None

    def _is_alive(self, holder: dict[str, Any]) -> bool:
        """Whether the holder has renewed of late and, if on this host, its process is there."""
        if holder["host"] == self.here and not is_running(holder):
            return False
        # One from the future was not renewed either: the file system's clock was set back.
        return abs(self._age()) < self.stale

    def _age(self) -> float:
        """Seconds since the last renewal by the file system's clock, which both hosts share."""
        with contextlib.suppress(FileNotFoundError):
            return files.now(self.path.parent) - self.path.stat().st_mtime
        return self.stale

    def _keep(self) -> None:
        while not self._stop.wait(self.renew):
            if self.lost:
                return
            with contextlib.suppress(OSError):  # a file system that fails for a moment
                if self._is_mine():
                    self.path.touch()
                else:  # damaged or removed, but nobody else's
                    files.write_whole(self.path, self.mine, self.part)


def holder_in(text: str) -> dict[str, Any] | None:
    """The holder that a whole lease names."""
    try:
        holder = json.loads(text)
        named = isinstance(holder["host"], str) and holder["process"] > 0
    except (ValueError, TypeError, LookupError, RecursionError):
        return None
    return holder if named else None


def is_running(holder: dict[str, Any]) -> bool:
    """Whether a process of this host is there, and not another one of its number."""
    try:
        os.kill(holder["process"], 0)
    except (ProcessLookupError, OverflowError, TypeError):
        return False
    except PermissionError:
        pass  # it is another user's
    now = started(holder["process"])
    return now is None or (now != ENDED and holder.get("started", now) == now)


def started(process: int) -> str | None:
    """When a process was started, in ticks since the boot of its host; None if that is hidden."""
    try:
        told = Path("/proc", str(process), "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return ENDED if told[0] == "Z" else told[19]
