"""Bring jobs that are ready into the queue, and tell Snakemake what became of it."""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from snakemake_interface_common.exceptions import WorkflowError
from snakemake_interface_executor_plugins.executors.base import SubmittedJobInfo
from snakemake_interface_executor_plugins.executors.remote import RemoteExecutor
from snakemake_interface_executor_plugins.jobs import JobExecutorInterface

from . import identity
from .books import LEFT
from .packing import Gathering, Pack, Ready
from .record import Record
from .request import Request
from .settings import ExecutorSettings
from .submitter import Dropped, NoAnswer
from .submitting import Submitting


@dataclass(frozen=True)
class Placement:
    """A job that is to be submitted.

    Args:
        going_on: id of the job that it continues.
    """

    job: JobExecutorInterface
    asked: Request
    record: Record
    going_on: str = ""


class Placing:
    """The way of one Snakemake's jobs into the queue.

    Args:
        executor: writes the command of a job, and is told of submissions and failures.
        leave_alone: lets Snakemake stop, for a reason in a line, and the jobs go on.
    """

    def __init__(
        self,
        settings: ExecutorSettings,
        executor: RemoteExecutor,
        submitting: Submitting,
        leave_alone: Callable[[str], None],
    ) -> None:
        self.executor, self.submitting, self.leave_alone = executor, submitting, leave_alone
        self.gathering = Gathering(settings)

    @contextlib.contextmanager
    def failing_alone(self, *jobs: JobExecutorInterface) -> Iterator[None]:
        """An error fails these jobs and no others."""
        try:
            yield
        except (OSError, WorkflowError) as error:
            for job in jobs:
                message = f"not submitted: {error}\n"
                self.executor.report_job_error(SubmittedJobInfo(job), msg=message)

    def add(self, ready: Sequence[Ready]) -> None:
        """Submit jobs, or keep those back that may share a node with others to come."""
        self._send_all(self.gathering.add(ready))

    def look(self) -> None:
        """Submit those that others were waited for in vain."""
        self._send_all(self.gathering.due())

    def go_on(self, job: JobExecutorInterface, asked: Request, before: Record) -> None:
        """Submit a job again that stopped in time."""
        walltimes = before.walltimes + 1
        record = self.submitting.open_record(asked, before.key, before.digest, walltimes)
        self._write_script(job, asked, record)
        self._line_up([Placement(job, asked, record, before.job_id or "")], asked)

    def _send_all(self, packs: Iterable[Pack]) -> None:
        for members, shared in packs:
            self._send(members, shared)

    def _send(self, members: Sequence[Ready], shared: Request) -> None:
        """Submit what one job of the scheduler is to run."""
        placements = []
        pack = self.submitting.pack_record(shared) if len(members) > 1 else None
        for job, asked in members:
            with self.failing_alone(job):
                key, digest = identity.key(job), identity.digest(job)
                record = self.submitting.open_record(asked, key, digest, pack=pack)
                self._write_script(job, asked, record)
                placements.append(Placement(job, asked, record))
        if not placements:
            return
        with self.failing_alone(*(each.job for each in placements)):
            if pack:
                self.submitting.write_pack(pack, [each.record for each in placements])
            self._line_up(placements, shared, pack)

    def _write_script(self, job: JobExecutorInterface, asked: Request, record: Record) -> None:
        command, inputs = self.executor.format_job_exec(job), map(str, job.get_wait_for_files())
        latency = self.executor.workflow.execution_settings.latency_wait
        self.submitting.write_script(asked, record, command, inputs, latency)

    def _line_up(
        self, placements: Sequence[Placement], shared: Request, pack: Record | None = None
    ) -> None:
        """Submit as soon as what came before is."""
        with contextlib.suppress(RuntimeError):  # the line has ended, because Snakemake does
            placed = self.submitting.line.submit(self._place, placements, shared, pack)
            placed.add_done_callback(self._surface)

    def _place(self, placements: Sequence[Placement], shared: Request, pack: Record | None) -> None:
        """Submit and let Snakemake wait; an error fails these jobs alone."""
        records = [each.record for each in placements]
        try:
            job_id = self.submitting.submit(shared, records, pack or records[0])
        except Dropped as error:
            self.executor.logger.info(f"{shared.title}: {error}")
            for each in placements:
                self.executor.workflow.scheduler.error_callback(each.job)
        except NoAnswer as error:
            self.leave_alone(f"{error}")
        except (OSError, WorkflowError) as error:
            for each in placements:
                self.executor.report_job_error(SubmittedJobInfo(each.job), msg=f"{error}\n")
        else:
            self._placed(placements, shared, job_id)

    def _placed(self, placements: Sequence[Placement], shared: Request, job_id: str) -> None:
        for each in placements:
            record = self.submitting.submitted(each.asked, each.record, job_id)
            if each.going_on:
                self.executor.logger.info(
                    f"job {each.going_on} ({shared.title}) goes on as job {job_id}: walltime "
                    f"{record.walltimes} of at most {shared.walltimes}"
                )
            self.executor.report_job_submission(info_of(each.job, record), register_job=False)

    def _surface(self, placed: Future[None]) -> None:
        """A mistake of ours should neither go unseen in a thread nor cost anybody's jobs."""
        if not placed.cancelled() and (error := placed.exception()):
            self.leave_alone(f"{error!r}: {LEFT}")


def info_of(job: JobExecutorInterface, record: Record) -> SubmittedJobInfo:
    """How Snakemake knows a submitted job."""
    return SubmittedJobInfo(job, external_jobid=record.job_id, aux={"token": record.token})
