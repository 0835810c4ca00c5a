"""Find what would fail later, before anything is submitted."""

import shlex
import shutil
import tempfile
from collections.abc import Iterable
from types import ModuleType

from snakemake_interface_common.exceptions import WorkflowError
from snakemake_interface_executor_plugins.jobs import JobExecutorInterface
from snakemake_interface_executor_plugins.settings import RemoteExecutionSettingsExecutorInterface

from . import packing
from .plan import is_known, request
from .settings import ExecutorSettings
from .submission import require_variables


def check(
    settings: ExecutorSettings,
    dialect: ModuleType,
    jobs: Iterable[JobExecutorInterface],
    general: RemoteExecutionSettingsExecutorInterface,
) -> None:
    """Find what would fail later, before anything is submitted.

    Raises:
        WorkflowError: an unset variable, a missing program, file or resource.
    """
    if general.immediate_submit:
        raise WorkflowError(
            "--immediate-submit: jobs are submitted when their inputs are there, so that what was "
            "submitted holds: leave it out"
        )
    require_variables(settings.submit or "")
    missing = [name for name in dialect.PROGRAMS if not shutil.which(name)]
    if missing:
        raise WorkflowError(
            f"no {', '.join(missing)} on PATH: start Snakemake on a login node of the cluster; "
            "--dry-run and --executor qsub-plan work without one"
        )
    check_numbers(settings)
    packing.check(settings)
    check_exclude(settings.exclude, dialect)
    for job in jobs:
        if is_known(job, settings.submit or "") and not job.is_local:
            request(job, settings, general.jobname).line(settings)
    check_files(settings)


def check_numbers(settings: ExecutorSettings) -> None:
    """Refuse numbers that mean nothing."""
    if not min(settings.poll, settings.max_walltimes, settings.max_silence) > 0:
        raise WorkflowError("qsub-poll, qsub-max-walltimes and qsub-max-silence must be above 0")
    if not min(settings.margin, settings.grace) >= 0:
        raise WorkflowError("qsub-margin and qsub-grace must not be below 0")
    if not settings.keep_logs >= 0:
        raise WorkflowError("qsub-keep-logs must be days, or 0 to keep logs for good")


def check_files(settings: ExecutorSettings) -> None:
    """Refuse a prelude that is not there, and a folder of logs in which nothing can be written."""
    if settings.prelude and not settings.prelude.is_file():
        raise WorkflowError(f"qsub-prelude: there is no file {settings.prelude}")
    try:
        settings.logdir.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=settings.logdir).close()
    except OSError as error:
        raise WorkflowError(f"qsub-logdir: {error.strerror}: {settings.logdir}") from None


def check_exclude(template: str, dialect: ModuleType) -> None:
    """Refuse words that could keep no job away from a host.

    Raises:
        WorkflowError: the scheduler knows no such words, or these name no hosts.
    """
    if template and not dialect.LEAVES_HOSTS_OUT:
        raise WorkflowError(
            f"qsub-exclude: on {dialect.NAME} a job cannot leave hosts out (select has no 'not'): "
            "leave the line out; bad hosts are named all the same"
        )
    try:
        words = shlex.split(template)
    except ValueError as error:
        raise WorkflowError(f"qsub-exclude: {error}: {template}") from None
    if template and not any("{hosts}" in word for word in words):
        raise WorkflowError(f"qsub-exclude must hold {{hosts}}, as '-l h=!({{hosts}})': {template}")
