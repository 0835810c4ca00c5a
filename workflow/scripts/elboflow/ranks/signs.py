"""Signs of life of ranks, by which a rank is found that stands still while others wait for it.

Beside each rank its watchdog renews a file as long as the rank does anything, and beside the
launcher another one reads the files of all: those of a rank that is stopped, hangs, or lies on a
dead node stay as they are.
"""

import glob
import os
import shutil
import socket
import time
from collections import defaultdict
from pathlib import Path

import psutil

AT_EXIT = ".exit"  # behind the name of a sign: this rank only waits for the end of the others
MEETING = "ranks.meeting"  # where ranks of torch.distributed find each other
NO_SIGNS = (AT_EXIT, ".meeting")  # suffixes of what lies beside them
ENDED = "ended"  # in a sign
SECONDS_OF_DAY = 86_400


class Sign:
    """What one rank leaves: its host, and a number that grows while it does something."""

    def __init__(self, path: Path, rank: psutil.Process) -> None:
        self.path, self.rank, self.number = path, rank, 0
        self.seen: tuple[object, ...] = ()

    def look(self, _: float) -> None:
        """Renew the sign, unless nothing has happened since the last look."""
        seen = self._activity()
        if seen == self.seen:
            return
        if self._write(str(self.number + 1)):  # else the next look tries again
            self.seen, self.number = seen, self.number + 1

    def _write(self, word: str) -> bool:
        """Write the sign in place and of one length, which takes no room on a full disk."""
        try:
            descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT, 0o666)
            os.write(descriptor, f"{socket.gethostname()} {word:>15}\n".encode())
            os.close(descriptor)
        except OSError:
            return False
        return True

    def _activity(self) -> tuple[object, ...]:
        """What changes while a rank computes, or waits for others: it wakes up for that.

        Of the main thread alone, since Horovod's own goes on where that one hangs; but at its exit
        a rank waits in another way.
        """
        if self.path.with_name(self.path.name + AT_EXIT).exists():
            return tuple(self.rank.cpu_times())
        main = [thread for thread in self.rank.threads() if thread.id == self.rank.pid]
        return (self.rank.num_ctx_switches(), *main)

    def close(self) -> None:
        """The rank has ended, which it may do before the others."""
        self._write(ENDED)


class Signs:
    """What all ranks leave, and for how long each has been the same.

    Args:
        limit: seconds after which a rank is given up.
    """

    def __init__(self, folder: Path, ranks: int, limit: float) -> None:
        self.folder, self.ranks, self.limit = folder, ranks, limit
        self.signs: dict[str, str] = {}
        self.still: dict[str, float] = defaultdict(float)
        self._sweep()

    def look(self, seconds: float) -> str | None:
        """Read the signs, so many seconds after the last look; a line where a rank is given up."""
        try:
            files = [path for path in self.folder.iterdir() if path.suffix not in NO_SIGNS]
            signs = {path.name: path.read_text() for path in files}
        except OSError:  # deleted by someone, or on a server that does not answer: nothing is known
            return None
        names = set(signs)
        if all(name.isdigit() for name in names):  # else the launcher does not number its ranks
            names |= set(map(str, range(self.ranks)))
        names -= {name for name, sign in signs.items() if ENDED in sign}
        for name in names:
            same = signs.get(name) == self.signs.get(name)
            self.still[name] = self.still[name] + seconds if same else 0.0
        self.signs = signs
        late = [name for name in names if self.still[name] >= self.limit]
        if not late:
            return None
        late.sort(key=lambda name: (len(name), name))
        told = ", ".join(map(self._words, late))
        return (
            f"error: for {self.limit:g} seconds (stall_seconds) nothing was done by {told}; all "
            "ranks end, and started again the job goes on from what is saved"
        )

    def _words(self, name: str) -> str:
        host = self.signs.get(name, "").partition(" ")[0]
        return f"rank {name} on {host}" if host else f"rank {name}, which never started"

    def close(self) -> None:
        """Remove the signs."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _sweep(self) -> None:
        """Remove what was left where watchdogs were killed as well: signs of a day ago."""
        for former in self.folder.parent.glob(f"{glob.escape(self.folder.stem)}.*"):
            times = [path.stat().st_mtime for path in (former, *former.glob("*"))]
            if max(times) < time.time() - SECONDS_OF_DAY:
                shutil.rmtree(former, ignore_errors=True)
