"""Where the files of jobs lie.

jobs/TOKEN/record.json    one per job that may be in the queue
jobs/TOKEN/ticket         without it the job's script does nothing
jobs/TOKEN/started        the scheduler's id, written by the script before it looks at its ticket
jobs/TOKEN/host           the name of its first node and how many it has, written by the script
jobs/TOKEN/TOKEN.sh       the script, whose name is the job's where a submit line gives none
ended/TOKEN               written by the script: "TOKEN ended with CODE"
output/TOKEN.log          what the scheduler itself printed; it may write it after the job's end
output/PACK.sh, PACK.log  script and output of a job of the scheduler that several share
config/DIGEST.yaml        the configuration that jobs were submitted with
"""

from pathlib import Path

from .record import Record


class Layout:
    """The files of one working directory's jobs."""

    def __init__(self, folder: Path) -> None:
        self.root = folder
        self.jobs, self.markers, self.outputs = folder / "jobs", folder / "ended", folder / "output"

    def folder(self, record: Record) -> Path:
        return self.jobs / record.token

    def ticket(self, record: Record) -> Path:
        return self.folder(record) / "ticket"

    def script(self, record: Record) -> Path:
        is_pack = record.token == record.pack
        return (self.outputs if is_pack else self.folder(record)) / f"{record.token}.sh"

    def started(self, record: Record) -> Path:
        return self.folder(record) / "started"

    def host(self, record: Record) -> Path:
        return self.folder(record) / "host"

    def output(self, record: Record) -> Path:
        """Where the scheduler writes what it has to say itself."""
        return self.outputs / f"{record.pack or record.token}.log"

    def carry_on(self, record: Record) -> Path:
        """Written by a program that stopped before the end of its walltime and can go on."""
        return self.folder(record) / "continue"

    def marker(self, record: Record) -> Path:
        return self.markers / record.token
