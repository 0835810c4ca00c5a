"""Find what would fail later, before anything is submitted."""

import shutil
import tempfile
from collections.abc import Iterable
from types import ModuleType

from snakemake_interface_common.exceptions import WorkflowError
from snakemake_interface_executor_plugins.jobs import JobExecutorInterface
from snakemake_interface_executor_plugins.settings import RemoteExecutionSettingsExecutorInterface

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
    if settings.prelude and not settings.prelude.is_file():
        raise WorkflowError(f"qsub-prelude: there is no file {settings.prelude}")
    if not min(settings.poll, settings.max_walltimes, settings.max_silence) > 0:
        raise WorkflowError("qsub-poll, qsub-max-walltimes and qsub-max-silence must be above 0")
    if not min(settings.margin, settings.grace) >= 0:
        raise WorkflowError("qsub-margin and qsub-grace must not be below 0")
    for job in jobs:
        if is_known(job, settings.submit or "") and not job.is_local:
            request(job, settings, general.jobname).line(settings)
    try:
        settings.logdir.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=settings.logdir).close()
    except OSError as error:
        raise WorkflowError(f"qsub-logdir: {error.strerror}: {settings.logdir}") from None
