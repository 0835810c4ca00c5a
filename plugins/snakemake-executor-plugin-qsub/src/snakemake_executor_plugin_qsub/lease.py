"""One Snakemake per working directory, also across hosts and after a kill -9.

Snakemake's own lock outlives a killed process; this one is renewed every minute by the process that
holds it, and free when it was not.
"""

import contextlib
import json
import os
import socket
import threading
import time
from pathlib import Path

from snakemake_interface_common.exceptions import WorkflowError

RENEW = 60  # seconds
STALE = 4 * RENEW


class Lease:
    """A file that names its holder and is touched while the holder lives."""

    def __init__(self, path: Path, renew: float = RENEW, stale: float = STALE) -> None:
        self.path, self.renew, self.stale = path, renew, stale
        self.mine = json.dumps({"host": socket.gethostname(), "process": os.getpid()})
        self._stop = threading.Event()

    @property
    def lost(self) -> bool:
        """Whether another took it over, not having heard of this process for too long."""
        holder = self._text()
        return bool(holder) and holder != self.mine

    def acquire(self) -> None:
        """Take the lease and keep it fresh until it is released.

        Raises:
            WorkflowError: another live process holds it.
        """
        if not self._create():
            holder = self._holder()
            if self._alive(holder):
                raise WorkflowError(
                    f"another Snakemake is at work in this directory: process "
                    f"{holder.get('process')} on {holder.get('host')}; wait for it or stop it (if "
                    f"it was killed, its lease ends after {self.stale / 60:.0f} min: {self.path})"
                )
            self._take_over()
        threading.Thread(target=self._keep, daemon=True).start()

    def release(self) -> None:
        """Give the lease up, if it is still ours."""
        self._stop.set()
        if self._text() == self.mine:
            self.path.unlink(missing_ok=True)

    def _create(self) -> bool:
        part = self._part()
        try:
            os.link(part, self.path)  # fails where the file exists, on network file systems too
        except FileExistsError:
            return False
        finally:
            part.unlink()
        return True

    def _part(self) -> Path:
        part = self.path.with_name(f"{self.path.name}.{socket.gethostname()}.{os.getpid()}")
        part.write_text(self.mine)
        return part

    def _take_over(self) -> None:
        """Replace a stale lease; of two that try at once the later wins, and the other sees it."""
        self._part().replace(self.path)
        time.sleep(min(2.0, self.renew))
        if self._text() != self.mine:
            raise WorkflowError("another Snakemake has just started in this directory; wait for it")

    def _text(self) -> str:
        try:
            return self.path.read_text()
        except OSError:
            return ""

    def _holder(self) -> dict[str, object]:
        try:
            holder = json.loads(self._text())
        except ValueError:
            holder = None
        return holder if isinstance(holder, dict) else {}

    def _alive(self, holder: dict[str, object]) -> bool:
        """Whether the holder has renewed of late and, if on this host, its process is there."""
        here = holder.get("host") == socket.gethostname()
        if here and not Path("/proc", str(holder.get("process"))).exists():
            return False
        return self._age() < self.stale

    def _age(self) -> float:
        """Seconds since the last renewal by the file system's clock, which both hosts share."""
        probe = self._part()
        try:
            return probe.stat().st_mtime - self.path.stat().st_mtime
        except FileNotFoundError:
            return self.stale
        finally:
            probe.unlink()

    def _keep(self) -> None:
        while not self._stop.wait(self.renew):
            if self.lost:
                return
            with contextlib.suppress(OSError):  # a file system that fails for a moment
                self.path.touch()
