"""Run each Snakemake job as a job of PBS Professional or Grid Engine.

snakemake --executor qsub --qsub-dialect pbs --qsub-submit 'qsub … {script}' --jobs 100
"""

import asyncio
import atexit
import secrets
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from snakemake_interface_common.exceptions import WorkflowError
from snakemake_interface_executor_plugins.executors.base import SubmittedJobInfo
from snakemake_interface_executor_plugins.executors.real import RealExecutor
from snakemake_interface_executor_plugins.executors.remote import RemoteExecutor
from snakemake_interface_executor_plugins.jobs import JobExecutorInterface
from snakemake_interface_executor_plugins.settings import CommonSettings
from snakemake_interface_executor_plugins.utils import format_cli_arg

from . import gridengine, identity, pbs, whose
from .commands import submit
from .earlier import Earlier, delete
from .journal import Journal, Record
from .judge import Outcome, Verdict
from .lease import Lease
from .plan import Request, is_known, request
from .settings import ExecutorSettings
from .submission import Script, require_variables
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
TAIL = 40  # lines of a failed job's log to print
LOST = "another Snakemake took this directory over and has its jobs now"


class Executor(RemoteExecutor):
    """Submits, watches and cancels; README.md says what it promises."""

    def __post_init__(self) -> None:
        self.settings: ExecutorSettings = self.executor_settings
        self.dialect = DIALECTS[self.settings.dialect or ""]
        self.check()
        folder = Path(self.workflow.persistence.path).absolute() / "qsub"
        self.stopped = ""  # why all jobs were left alone
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self.lease = Lease(folder / "lease", tell=self.logger.warning)
            self.lease.acquire()
            # Snakemake does not shut down where nothing is to do.
            atexit.register(self.lease.release)
            self.journal = Journal(folder)
            self.earlier = Earlier(self.journal, self.dialect, self.logger.warning)
            self.configs = self.journal.keep_configs(self.config_files())
        except OSError as error:
            raise WorkflowError(
                f"{error.strerror}: {error.filename or folder}: {folder} keeps account of the jobs "
                "in the queue and must be readable and writable: see to that (rights, room, "
                "quota), then start again"
            ) from None
        self.requests: dict[str, Request] = {}  # by token, of all jobs in the queue
        self.watch = Watch(
            self.dialect,
            self.journal,
            self.settings.poll,
            self.settings.grace,
            self.logger.warning,
            self.settings.max_silence,
        )
        # One submission at a time, and each to its end whatever happens to the main thread.
        self.submitter = ThreadPoolExecutor(max_workers=1)
        self.ending = threading.Event()
        self.next_seconds_between_status_checks = min(LOOK, self.settings.poll)

    def check(self) -> None:
        """Find what would fail later, before anything is submitted.

        Raises:
            WorkflowError: an unset variable, a missing program, file or resource.
        """
        require_variables(self.settings.submit or "")
        missing = [name for name in self.dialect.PROGRAMS if not shutil.which(name)]
        if missing:
            raise WorkflowError(
                f"no {', '.join(missing)} on PATH: start Snakemake on a login node of the cluster; "
                "--dry-run and --executor qsub-plan work without one"
            )
        if self.settings.prelude and not self.settings.prelude.is_file():
            raise WorkflowError(f"qsub-prelude: there is no file {self.settings.prelude}")
        if not min(self.settings.poll, self.settings.max_walltimes, self.settings.max_silence) > 0:
            raise WorkflowError(
                "qsub-poll, qsub-max-walltimes and qsub-max-silence must be above 0"
            )
        if not min(self.settings.margin, self.settings.grace) >= 0:
            raise WorkflowError("qsub-margin and qsub-grace must not be below 0")
        for job in self.workflow.dag.needrun_jobs():
            if is_known(job) and not job.is_local and not job.is_group():
                request(job, self.settings).line(self.settings)
        try:
            self.settings.logdir.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=self.settings.logdir).close()
        except OSError as error:
            raise WorkflowError(f"qsub-logdir: {error.strerror}: {self.settings.logdir}") from None

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
        asked = request(job, self.settings)
        key, digest = identity.key(job), identity.digest(job)
        if earlier := self.earlier.take(key, digest, asked):
            self.logger.info(f"taking over job {earlier.job_id} ({asked.title})")
            self.register(job, asked, earlier)
        else:
            self.register(job, asked, self.open_record(asked, key, digest))

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

    def register(self, job: JobExecutorInterface, asked: Request, record: Record) -> None:
        """Submit a job that has no id yet, and let Snakemake wait for it."""
        if record.job_id is None:
            submitted = self.submitter.submit(self.submit, job, asked, record).result()
            if isinstance(submitted, str):
                self.report_job_error(SubmittedJobInfo(job), msg=submitted)
                return
            record = submitted
        else:
            self.requests[record.token] = asked
            self.watch.add(record, asked.walltimes)
        self.report_job_submission(info_of(job, record))

    def submit(self, job: JobExecutorInterface, asked: Request, record: Record) -> Record | str:
        """Call qsub and record its id; in place of a record, what qsub complained of."""
        script = self.journal.script(record)
        script.write_text(self.script(job, asked, record))
        script.chmod(0o755)
        answer = submit(self.words(asked, record), self.ending)
        # Where qsub hung or broke off, the job may have started all the same.
        job_id = self.dialect.job_id(answer) or self.journal.claim(record)
        if job_id is None:
            self.journal.close(record)
            return f"qsub refused it: {answer.complaint}\n"
        record = self.journal.submitted(record, job_id)
        # Here and not where the result is awaited: a Ctrl-C may come before that.
        self.requests[record.token] = asked
        self.watch.add(record, asked.walltimes)
        return record

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
        try:
            verdicts = await asyncio.to_thread(self.watch.look)
        except Exception as error:  # a mistake of ours should not cost anybody's jobs
            self.leave_alone(f"{error!r}: jobs are left alone; start Snakemake again to go on")
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
                return self.go_on(info)
            self.finish(info, verdict.reason)
        except (OSError, WorkflowError) as error:
            self.report_job_error(info, msg=f"{error}\n")
        return None

    def go_on(self, info: SubmittedJobInfo) -> SubmittedJobInfo | None:
        """Submit a job again that stopped in time: for Snakemake it is still the same."""
        token = info.aux["token"]
        record, asked = self.watch.jobs[token].record, self.requests[token]
        self.forget(record)
        if self.workflow.scheduler._user_kill:  # told to end when the running jobs have
            self.report_job_error(info, msg="stopped in time: start Snakemake again to go on\n")
            return None
        count = record.walltimes + 1
        following = self.open_record(asked, record.key, record.digest, count)
        submitted = self.submitter.submit(self.submit, info.job, asked, following).result()
        if isinstance(submitted, str):
            self.report_job_error(info, msg=submitted)
            return None
        self.logger.info(
            f"job {record.job_id} ({asked.title}) goes on as job {submitted.job_id}: walltime "
            f"{count} of at most {asked.walltimes}"
        )
        return info_of(info.job, submitted)

    def finish(self, info: SubmittedJobInfo, reason: str) -> None:
        """Tell Snakemake that a job succeeded, or why it failed."""
        record = self.watch.jobs[info.aux["token"]].record
        said = self.journal.scheduler_log(record) if reason else ""
        self.forget(record)
        if not reason:
            self.report_job_success(info)
            return
        parts = [reason, said, f"log of job {record.job_id}: {record.log}", *tail(Path(record.log))]
        message = "\n    ".join(part for part in parts if part) + "\n"
        if info.job.is_group():  # of which Snakemake does not print the message
            self.logger.error(message)
        self.report_job_error(info, msg=message)

    def forget(self, record: Record) -> None:
        self.journal.close(record)
        self.watch.drop(record.token)
        self.requests.pop(record.token, None)

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
        self.ending.set()
        self.submitter.shutdown(wait=True, cancel_futures=True)
        if self.stopped or self.lease.lost:
            self.watch.jobs.clear()
            self.earlier.records.clear()
        ours = [job.record for job in list(self.watch.jobs.values())]
        records = [*ours, *self.earlier.records]
        if not records:
            return
        self.logger.info(f"deleting {len(records)} jobs …")
        for record in records:
            self.journal.withdraw(record)
            self.watch.drop(record.token)
        self.earlier.records.clear()
        if complaint := delete(records, self.dialect):
            ids = " ".join(record.job_id or "" for record in records)
            self.logger.error(f"qdel {ids}: {complaint}; the next start deletes what is left")

    def shutdown(self) -> None:
        """Leave nothing behind, whichever way Snakemake ends."""
        with self.lock:
            self.wait = False
        self.wait_thread.join()
        if self.watch.jobs or self.stopped:
            self.cancel_jobs([])
        if left := [record.job_id or "" for record in self.earlier.records]:
            self.logger.warning(
                f"jobs {', '.join(left)} of an earlier Snakemake are in the queue still: nothing "
                "needs them now"
            )
        if not (self.stopped or self.lease.lost):  # else its jobs, which go on, are another's
            shutil.rmtree(self.tmpdir, ignore_errors=True)
        self.lease.release()


def tail(log: Path) -> list[str]:
    """The last lines of a log that may be very long."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 65536))
            return file.read().decode(errors="replace").splitlines()[-TAIL:]
    except OSError as error:
        return [f"(cannot be read: {error.strerror})"]


def info_of(job: JobExecutorInterface, record: Record) -> SubmittedJobInfo:
    """How Snakemake knows a submitted job."""
    return SubmittedJobInfo(job, external_jobid=record.job_id, aux={"token": record.token})
