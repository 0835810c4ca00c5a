"""The executor as Snakemake sees it: it submits, watches and ends jobs."""

import asyncio
import shutil
import signal
import sys
import threading
from collections.abc import AsyncGenerator
from pathlib import Path

from snakemake.settings.types import RemoteExecutionSettings
from snakemake_interface_common.exceptions import WorkflowError
from snakemake_interface_executor_plugins.executors.base import SubmittedJobInfo
from snakemake_interface_executor_plugins.executors.real import RealExecutor
from snakemake_interface_executor_plugins.executors.remote import RemoteExecutor
from snakemake_interface_executor_plugins.jobs import JobExecutorInterface
from snakemake_interface_executor_plugins.utils import format_cli_arg

from . import gridengine, identity, old_logs, pbs, preconditions
from .books import LEFT, Books
from .ending import Ending
from .judge import Outcome, Verdict
from .placing import Placing, info_of
from .record import Record
from .request import Request
from .settings import ExecutorSettings
from .sizes import Sizes
from .submitting import Submitting

DIALECTS = {"pbs": pbs, "gridengine": gridengine}
LOOK = 5.0  # seconds between two looks at the markers, which cost the scheduler nothing
LOST = "another Snakemake took this directory over and has its jobs now"


class Executor(RemoteExecutor):
    """Submits, watches and cancels; README.md says what it promises."""

    made = False  # Snakemake asks for its jobs while this is being made

    def __post_init__(self) -> None:
        self.settings: ExecutorSettings = self.executor_settings
        self.dialect = DIALECTS[self.settings.dialect or ""]
        dag = self.workflow.dag
        jobs = dict.fromkeys(dag.get_job_group(job) or job for job in dag.needrun_jobs())
        general = self.workflow.remote_execution_settings
        preconditions.check(self.settings, self.dialect, jobs, general)
        self.stopped = ""  # why all jobs were left alone
        warn = self.logger.warning
        folder = Path(self.workflow.persistence.path).absolute() / "qsub"
        self.books = Books(folder, self.dialect, self.config_files(), warn)
        self.lease, journal = self.books.lease, self.books.journal
        for logs in (self.settings.logdir, journal.outputs):
            old_logs.remove(logs, self.settings.keep_logs, journal.jobs)
        self.submitting = Submitting(self.settings, self.dialect, journal, self.is_ending, warn)
        self.watch = self.submitting.watch
        self.sizes = Sizes(self.settings, self.dialect, self.jobname, self.logger.info)
        self.placing = Placing(self.settings, self, self.submitting, self.leave_alone)
        self.ending = Ending(journal, self.books.account, self.submitting, self.logger)
        if (
            general.seconds_between_status_checks
            == RemoteExecutionSettings.seconds_between_status_checks
        ):
            self.next_seconds_between_status_checks = min(LOOK, self.settings.poll)
        self.made = True

    def config_files(self) -> list[Path]:
        """What the configuration was read from; later ones override."""
        given = [Path(file).absolute() for file in self.workflow.overwrite_configfiles]
        own = [Path(file).absolute() for file in self.workflow.configfiles]
        return list(dict.fromkeys([*(file for file in own if file not in given), *given]))

    # Submitting

    def run_jobs(self, jobs: list[JobExecutorInterface]) -> None:
        """Take over those of an earlier Snakemake, submit the others; an error fails one alone."""
        ready = []
        for job in jobs:
            self.run_job_pre(job)
            with self.placing.failing_alone(job):
                asked = self.sizes.request(job)
                if not self.take_over(job, asked):
                    job.register()  # here, since Snakemake's own records are for its main thread
                    ready.append((job, asked))
        self.placing.add(ready)

    def run_job(self, job: JobExecutorInterface) -> None:
        self.run_jobs([job])

    def take_over(self, job: JobExecutorInterface, asked: Request) -> bool:
        """Take a job over from an earlier Snakemake, if it is there."""
        if self.stopped or self.lease.lost:
            raise WorkflowError(self.stopped or LOST)
        earlier = self.books.earlier.take(identity.key(job), identity.digest(job), asked)
        if earlier:
            self.logger.info(f"taking over job {earlier.job_id} ({asked.title})")
            self.submitting.watch_on(asked, earlier)
            self.report_job_submission(info_of(job, earlier))
        return earlier is not None

    def is_ending(self, record: Record) -> bool:
        """Whether Snakemake waits for the jobs that run, and for no others."""
        scheduler = self.workflow.scheduler
        failed = scheduler._errors and not scheduler.keepgoing
        is_new = record.walltimes == 1  # else to Snakemake it is one that runs
        ending = self.stopped or scheduler._user_kill or (failed and is_new)
        return bool(ending or self.lease.lost)

    def get_python_executable(self) -> str:
        """Blind to a prelude's PYTHONPATH and PYTHONHOME where this Snakemake is to the shell's."""
        python: str = super().get_python_executable()
        return f"{python} -I" if sys.flags.isolated else python

    def get_job_args(self, job: JobExecutorInterface) -> str:
        """Without --wait-for-files: where one stays away, Snakemake ends with exit code 0."""
        return RealExecutor.get_job_args(self, job)

    def additional_general_args(self) -> str:
        """Give jobs today's configuration: they read it when they start, perhaps days from now."""
        given = format_cli_arg("--configfiles", self.books.configs)
        # A failed job's log should end with what its program said.
        return f"{given} --quiet host progress rules"

    # Watching

    async def check_active_jobs(
        self, active_jobs: list[SubmittedJobInfo]
    ) -> AsyncGenerator[SubmittedJobInfo, None]:
        """Report the jobs that ended, and go on with those that want another walltime."""
        if not self.made or self.stopped:
            return
        self.placing.look()
        if not active_jobs:
            return
        if self.lease.lost:
            self.leave_alone(LOST)
            return
        self.submitting.record_again()
        try:
            verdicts = await asyncio.to_thread(self.watch.look)
        except Exception as error:  # a mistake of ours should not cost anybody's jobs
            self.leave_alone(f"{error!r}: {LEFT}")
            return
        for info in active_jobs:
            token = info.aux["token"]
            if token not in self.watch.jobs:  # cancelled meanwhile
                continue
            if still := self.act(info, verdicts[token]):
                yield still
        if self.watch.gave_up and self.watch.jobs:
            self.leave_alone(self.watch.gave_up)

    def leave_alone(self, why: str) -> None:
        """Let Snakemake stop, and the jobs go on: the next one takes them over."""
        self.stopped = why
        self.workflow.scheduler.executor_error_callback(WorkflowError(why))

    def act(self, info: SubmittedJobInfo, verdict: Verdict) -> SubmittedJobInfo | None:
        """Do what a verdict asks for; what is to be watched on. An error fails this job alone."""
        if verdict.outcome is Outcome.WAIT:
            return info
        try:
            if verdict.outcome is Outcome.GO_ON:
                self.go_on(info)
                return None
            self.finish(info, verdict.reason)
        except (OSError, WorkflowError) as error:
            self.report_job_error(info, msg=f"{error}\n")
        return None

    def go_on(self, info: SubmittedJobInfo) -> None:
        """Submit a job again that stopped in time: for Snakemake it is still the same."""
        token = info.aux["token"]
        record, asked = self.watch.jobs[token].record, self.submitting.requests[token]
        self.ending.forget(record, "goes on")
        if self.workflow.scheduler._user_kill:  # told to end when the running jobs have
            self.report_job_error(info, msg="stopped in time: start Snakemake again to go on\n")
            return
        self.placing.go_on(info.job, asked, record)

    def finish(self, info: SubmittedJobInfo, reason: str) -> None:
        """Tell Snakemake that a job succeeded, or why it failed."""
        record = self.watch.jobs[info.aux["token"]].record
        message = self.ending.failure(record, reason) if reason else ""
        self.ending.judge_host(record, reason)
        self.ending.forget(record, "failed" if reason else "done")
        if not reason:
            self.report_job_success(info)
            return
        if info.job.is_group():  # of which Snakemake does not print the message
            self.logger.error(message)
        self.report_job_error(info, msg=message)

    # Ending

    def cancel(self) -> None:
        """Delete all jobs; a second Ctrl-C must not get in between."""
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        super().cancel()

    def cancel_jobs(self, active_jobs: list[SubmittedJobInfo]) -> None:
        """Delete all jobs with one qdel, also one that is just being submitted.

        Not `active_jobs`: Snakemake empties that list while it looks at the jobs.
        """
        self.submitting.end()
        earlier = self.books.earlier.records
        if self.stopped or self.lease.lost:
            self.watch.jobs.clear()
            earlier.clear()
        ours = [job.record for job in list(self.watch.jobs.values())]
        if records := [*ours, *earlier]:
            earlier.clear()
            self.ending.delete(records)

    def shutdown(self) -> None:
        """Leave nothing behind, whichever way Snakemake ends."""
        with self.lock:
            self.wait = False
        self.wait_thread.join()
        self.submitting.end()
        if self.watch.jobs or self.stopped:
            self.cancel_jobs([])
        if left := [record.job_id or "" for record in self.books.earlier.records]:
            self.logger.warning(
                f"jobs {', '.join(left)} of an earlier Snakemake are in the queue still: nothing "
                "needs them now"
            )
        if not (self.stopped or self.lease.lost):  # else its jobs, which go on, are another's
            shutil.rmtree(self.tmpdir, ignore_errors=True)
        if used := self.books.account.line():
            self.logger.info(used)
        self.lease.release()
