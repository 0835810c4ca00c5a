"""Run each Snakemake job as a job of PBS Professional or Grid Engine.

snakemake --executor qsub --qsub-dialect pbs --qsub-submit 'qsub … {script}' --jobs 100
"""

import asyncio
import atexit
import contextlib
import secrets
import shutil
import signal
import sys
import threading
import time
from collections.abc import AsyncGenerator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from snakemake.settings.types import RemoteExecutionSettings
from snakemake_interface_common.exceptions import WorkflowError
from snakemake_interface_executor_plugins.executors.base import SubmittedJobInfo
from snakemake_interface_executor_plugins.executors.real import RealExecutor
from snakemake_interface_executor_plugins.executors.remote import RemoteExecutor
from snakemake_interface_executor_plugins.jobs import JobExecutorInterface
from snakemake_interface_executor_plugins.settings import CommonSettings
from snakemake_interface_executor_plugins.utils import format_cli_arg

from . import files, gridengine, identity, pbs, preconditions, whose
from .account import Account
from .earlier import Earlier, delete
from .journal import Journal, Record
from .judge import Outcome, Verdict
from .lease import Lease
from .plan import Request, request
from .settings import ExecutorSettings
from .submission import Script
from .submitter import Ending, NoAnswer, Submitter
from .watch import Watch

__all__ = ["Executor", "ExecutorSettings", "common_settings"]

common_settings = CommonSettings(
    non_local_exec=True,
    implies_no_shared_fs=False,
    job_deploy_sources=False,
    auto_deploy_default_storage_provider=False,
    init_seconds_before_status_checks=1,
)

DIALECTS = {"pbs": pbs, "gridengine": gridengine}
LOOK = 5.0  # seconds between two looks at the markers, which cost the scheduler nothing
LEFT = "jobs are left alone; start Snakemake again to go on"
LOST = "another Snakemake took this directory over and has its jobs now"


class Executor(RemoteExecutor):
    """Submits, watches and cancels; README.md says what it promises."""

    def __post_init__(self) -> None:
        self.settings: ExecutorSettings = self.executor_settings
        self.dialect = DIALECTS[self.settings.dialect or ""]
        dag = self.workflow.dag
        jobs = dict.fromkeys(dag.get_job_group(job) or job for job in dag.needrun_jobs())
        general = self.workflow.remote_execution_settings
        preconditions.check(self.settings, self.dialect, jobs, general)
        self.stopped = ""  # why all jobs were left alone
        self.open_account(Path(self.workflow.persistence.path).absolute() / "qsub")
        self.requests: dict[str, Request] = {}  # by token, of all jobs in the queue
        self.watch = Watch(
            self.dialect,
            self.journal,
            self.settings.poll,
            self.settings.grace,
            self.logger.warning,
            self.settings.max_silence,
        )
        self.submitter = Submitter(
            self.dialect,
            lambda: len(self.watch.jobs),
            self.is_ending,
            self.journal.started_as,
            self.logger.warning,
            self.settings.max_silence,
        )
        # One submission at a time, and each to its end whatever happens to the other threads, which
        # go on while a job waits for the queue to take it.
        self.line = ThreadPoolExecutor(max_workers=1)
        self.unrecorded: list[Record] = []
        if (
            general.seconds_between_status_checks
            == RemoteExecutionSettings.seconds_between_status_checks
        ):
            self.next_seconds_between_status_checks = min(LOOK, self.settings.poll)

    def open_account(self, folder: Path) -> None:
        """Take over the account of the jobs in the queue, which one Snakemake keeps at a time."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self.lease = Lease(folder / "lease", tell=self.logger.warning)
            self.lease.acquire()
            # Snakemake does not shut down where nothing is to do.
            atexit.register(self.lease.release)
            self.journal = Journal(folder)
            self.account = Account(self.journal)
            self.earlier = Earlier(self.journal, self.dialect, self.logger.warning)
            self.configs = self.journal.keep_configs(self.config_files())
        except KeyboardInterrupt:  # in what may last for minutes
            raise WorkflowError(f"interrupted: {LEFT}") from None
        except OSError as error:
            raise WorkflowError(
                f"{error.strerror}: {error.filename or folder}: {folder} keeps account of the jobs "
                "in the queue and must be readable and writable: see to that (rights, room, "
                "quota), then start again"
            ) from None

    def config_files(self) -> list[Path]:
        """What the configuration was read from; later ones override."""
        given = [Path(file).absolute() for file in self.workflow.overwrite_configfiles]
        own = [Path(file).absolute() for file in self.workflow.configfiles]
        return list(dict.fromkeys([*(file for file in own if file not in given), *given]))

    # Submitting

    def run_job(self, job: JobExecutorInterface) -> None:
        """Take the job over from an earlier Snakemake, or submit it; an error fails it alone."""
        try:
            self.take_or_submit(job)
        except (OSError, WorkflowError) as error:
            self.report_job_error(SubmittedJobInfo(job), msg=f"not submitted: {error}\n")

    def take_or_submit(self, job: JobExecutorInterface) -> None:
        if self.stopped or self.lease.lost:
            raise WorkflowError(self.stopped or LOST)
        asked = request(job, self.settings, self.jobname)
        key, digest = identity.key(job), identity.digest(job)
        if earlier := self.earlier.take(key, digest, asked):
            self.logger.info(f"taking over job {earlier.job_id} ({asked.title})")
            self.watch_on(asked, earlier)
            self.report_job_submission(info_of(job, earlier))
            return
        record = self.open_record(asked, key, digest)
        self.write_script(job, asked, record)
        job.register()  # here, since Snakemake's own records are for its main thread
        self.line_up(job, asked, record)

    def open_record(self, asked: Request, key: str, digest: str, walltimes: int = 1) -> Record:
        """A record of a submission to come."""
        token = f"{asked.name}-{secrets.token_hex(4)}"
        log = self.settings.logdir.absolute() / f"{token}.log"
        size = (asked.seconds, asked.nodes, asked.tasks_per_node)
        record = Record(token, key, digest, str(log), *size, walltimes, owner=whose.me())
        name = whose.name_of(self.words(asked, record), token)
        return self.journal.open(replace(record, name=name, since=time.time()))

    def words(self, asked: Request, record: Record) -> list[str]:
        """The submit line; the name in it is of this submission alone."""
        script, output = self.journal.script(record), self.journal.output(record)
        return asked.words(self.settings, script, output, record.token)

    def write_script(self, job: JobExecutorInterface, asked: Request, record: Record) -> None:
        script = self.journal.script(record)
        try:
            files.write_whole(script, self.script(job, asked, record))
            script.chmod(0o755)
        except OSError:
            self.journal.close(record)
            raise

    def line_up(
        self, job: JobExecutorInterface, asked: Request, record: Record, going_on: str = ""
    ) -> None:
        """Submit a job as soon as those before it are.

        Args:
            going_on: the job that it continues.
        """
        with contextlib.suppress(RuntimeError):  # the line has ended, because Snakemake does
            placed = self.line.submit(self.place, job, asked, record, going_on)
            placed.add_done_callback(self.surface)

    def place(
        self, job: JobExecutorInterface, asked: Request, record: Record, going_on: str
    ) -> None:
        """Submit a job and let Snakemake wait for it; an error fails it alone."""
        try:
            record = self.submit(asked, record)
        except Ending as error:
            self.logger.info(f"{asked.title}: {error}")
            self.workflow.scheduler.error_callback(job)
            return
        except NoAnswer as error:
            self.leave_alone(f"{error}")
            return
        except (OSError, WorkflowError) as error:
            self.report_job_error(SubmittedJobInfo(job), msg=f"{error}\n")
            return
        if going_on:
            self.logger.info(
                f"job {going_on} ({asked.title}) goes on as job {record.job_id}: walltime "
                f"{record.walltimes} of at most {asked.walltimes}"
            )
        self.report_job_submission(info_of(job, record), register_job=False)

    def surface(self, placed: Future[None]) -> None:
        """A mistake of ours should neither go unseen in a thread nor cost anybody's jobs."""
        if not placed.cancelled() and (error := placed.exception()):
            self.leave_alone(f"{error!r}: {LEFT}")

    def submit(self, asked: Request, record: Record) -> Record:
        """Call qsub and record the id of the job.

        Raises:
            WorkflowError: it was not submitted, or if it was, it will do nothing.
        """
        try:
            job_id = self.submitter.place(self.words(asked, record), record)
        except WorkflowError:
            # Where qsub hung or broke off, the job may have started all the same.
            if not (job_id := self.journal.claim(record) or ""):
                self.journal.close(record)
                raise
        record = self.record_id(record, job_id)
        # Before Snakemake is told: a Ctrl-C may come in between.
        self.watch_on(asked, record)
        return record

    def record_id(self, record: Record, job_id: str) -> Record:
        """Record an id; where that fails the job is watched all the same, and it is tried again."""
        record = replace(record, job_id=job_id, until=time.time())
        try:
            self.journal.write(record)
        except OSError as error:
            self.unrecorded.append(record)
            self.logger.warning(
                f"job {job_id} ({record.name}) is submitted and watched, but cannot be recorded: "
                f"{error.strerror}: {self.journal.folder(record)}; until it is, do not kill this "
                "Snakemake with -9: the next would not know of it"
            )
        return record

    def record_again(self) -> None:
        for record in list(self.unrecorded):
            with contextlib.suppress(OSError):
                if record.token in self.watch.jobs:
                    self.journal.write(record)
                self.unrecorded.remove(record)

    def watch_on(self, asked: Request, record: Record) -> None:
        self.requests[record.token] = asked
        self.watch.add(record, asked.walltimes)

    def is_ending(self, record: Record) -> bool:
        """Whether Snakemake waits for the jobs that run, and for no others."""
        scheduler = self.workflow.scheduler
        failed = scheduler._errors and not scheduler.keepgoing
        is_new = record.walltimes == 1  # else to Snakemake it is one that runs
        ending = self.stopped or scheduler._user_kill or (failed and is_new)
        return bool(ending or self.lease.lost)

    def script(self, job: JobExecutorInterface, asked: Request, record: Record) -> str:
        prelude = self.settings.prelude
        return Script(
            title=asked.title,
            workdir=Path.cwd(),
            ticket=self.journal.ticket(record),
            started=self.journal.started(record),
            log=Path(record.log),
            marker=self.journal.marker(record),
            carry_on=self.journal.carry_on(record),
            seconds=asked.seconds - asked.margin,
            nodes=asked.nodes,
            tasks_per_node=asked.tasks_per_node,
            job_id=self.dialect.JOB_ID_IN_JOB,
            hostfile=self.dialect.HOSTFILE,
            prelude=prelude.absolute() if prelude else None,
            exports=tuple(self.settings.export.replace(",", " ").split()),
            inputs=tuple(map(str, job.get_wait_for_files())),
            latency=self.workflow.execution_settings.latency_wait,
            command=self.format_job_exec(job),
        ).text()

    def get_python_executable(self) -> str:
        """Blind to a prelude's PYTHONPATH and PYTHONHOME where this Snakemake is to the shell's."""
        python: str = super().get_python_executable()
        return f"{python} -I" if sys.flags.isolated else python

    def get_job_args(self, job: JobExecutorInterface) -> str:
        """Without --wait-for-files: where one stays away, Snakemake ends with exit code 0."""
        return RealExecutor.get_job_args(self, job)

    def additional_general_args(self) -> str:
        """Give jobs today's configuration: they read it when they start, perhaps days from now."""
        given = format_cli_arg("--configfiles", self.configs)
        # A failed job's log should end with what its program said.
        return f"{given} --quiet host progress rules"

    # Watching

    async def check_active_jobs(
        self, active_jobs: list[SubmittedJobInfo]
    ) -> AsyncGenerator[SubmittedJobInfo, None]:
        """Report the jobs that ended, and go on with those that want another walltime."""
        if not active_jobs or self.stopped:
            return
        if self.lease.lost:
            self.leave_alone(LOST)
            return
        self.record_again()
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
        record, asked = self.watch.jobs[token].record, self.requests[token]
        self.forget(record, "goes on")
        if self.workflow.scheduler._user_kill:  # told to end when the running jobs have
            self.report_job_error(info, msg="stopped in time: start Snakemake again to go on\n")
            return
        following = self.open_record(asked, record.key, record.digest, record.walltimes + 1)
        self.write_script(info.job, asked, following)
        self.line_up(info.job, asked, following, record.job_id or "")

    def finish(self, info: SubmittedJobInfo, reason: str) -> None:
        """Tell Snakemake that a job succeeded, or why it failed."""
        record = self.watch.jobs[info.aux["token"]].record
        said = self.journal.scheduler_log(record) if reason else ""
        self.forget(record, "failed" if reason else "done")
        if not reason:
            self.report_job_success(info)
            return
        parts = [
            reason,
            said,
            f"log of job {record.job_id}: {record.log}",
            *files.tail(Path(record.log)),
        ]
        message = "\n    ".join(part for part in parts if part) + "\n"
        if info.job.is_group():  # of which Snakemake does not print the message
            self.logger.error(message)
        self.report_job_error(info, msg=message)

    def forget(self, record: Record, outcome: str) -> None:
        self.account.add(record, self.requests[record.token].title, outcome)
        self.journal.close(record)
        self.watch.drop(record.token)
        self.requests.pop(record.token, None)
        self.submitter.job_ended()

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
        self.end_line()
        if self.stopped or self.lease.lost:
            self.watch.jobs.clear()
            self.earlier.records.clear()
        ours = [job.record for job in list(self.watch.jobs.values())]
        records = [*ours, *self.earlier.records]
        if not records:
            return
        self.logger.info(f"deleting {len(records)} jobs …")
        for record in records:
            try:
                self.journal.withdraw(record)
            except OSError as error:
                self.logger.error(f"{error.strerror}: {self.journal.folder(record)}")
            if asked := self.requests.get(record.token):
                self.account.add(record, asked.title, "deleted")
            self.watch.drop(record.token)
        self.earlier.records.clear()
        if complaint := delete(records, self.dialect):
            ids = " ".join(record.job_id or "" for record in records)
            self.logger.error(f"qdel {ids}: {complaint}; the next start deletes what is left")

    def end_line(self) -> None:
        """Submit no more, nor what waits for the queue; one that is being submitted is awaited."""
        self.submitter.stop()
        self.line.shutdown(wait=True, cancel_futures=True)

    def shutdown(self) -> None:
        """Leave nothing behind, whichever way Snakemake ends."""
        with self.lock:
            self.wait = False
        self.wait_thread.join()
        self.end_line()
        if self.watch.jobs or self.stopped:
            self.cancel_jobs([])
        if left := [record.job_id or "" for record in self.earlier.records]:
            self.logger.warning(
                f"jobs {', '.join(left)} of an earlier Snakemake are in the queue still: nothing "
                "needs them now"
            )
        if not (self.stopped or self.lease.lost):  # else its jobs, which go on, are another's
            shutil.rmtree(self.tmpdir, ignore_errors=True)
        if used := self.account.line():
            self.logger.info(used)
        self.lease.release()


def info_of(job: JobExecutorInterface, record: Record) -> SubmittedJobInfo:
    """How Snakemake knows a submitted job."""
    return SubmittedJobInfo(job, external_jobid=record.job_id, aux={"token": record.token})
