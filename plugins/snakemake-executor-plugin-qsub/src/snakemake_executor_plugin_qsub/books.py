"""The account of the jobs in the queue, which one Snakemake keeps at a time."""

import atexit
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType

from snakemake_interface_common.exceptions import WorkflowError

from .account import Account
from .earlier import Earlier
from .journal import Journal
from .lease import Lease

LEFT = "jobs are left alone; start Snakemake again to go on"


class Books:
    """Lease, records, sums, and the jobs of an earlier Snakemake.

    Args:
        configs: configuration files, of which jobs read copies.
        tell: is given a line for the user.

    Raises:
        WorkflowError: another Snakemake has them, or they cannot be read or written.
    """

    def __init__(
        self,
        folder: Path,
        dialect: ModuleType,
        configs: Iterable[Path],
        tell: Callable[[str], None],
    ) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self.lease = Lease(folder / "lease", tell=tell)
            self.lease.acquire()
            # Snakemake does not shut down where nothing is to do.
            atexit.register(self.lease.release)
            self.journal = Journal(folder)
            self.account = Account(self.journal)
            self.earlier = Earlier(self.journal, dialect, tell)
            self.configs = self.journal.configs.keep(configs)
        except KeyboardInterrupt:  # in what may last for minutes
            raise WorkflowError(f"interrupted: {LEFT}") from None
        except OSError as error:
            raise WorkflowError(
                f"{error.strerror}: {error.filename or folder}: {folder} keeps account of the jobs "
                "in the queue and must be readable and writable: see to that (rights, room, "
                "quota), then start again"
            ) from None
