"""Run each Snakemake job as a job of PBS Professional or Grid Engine.

snakemake --executor qsub --qsub-dialect pbs --qsub-submit 'qsub … {script}' --jobs 100
"""

from snakemake_interface_executor_plugins.settings import CommonSettings

from .executor import Executor
from .settings import ExecutorSettings

__all__ = ["Executor", "ExecutorSettings", "common_settings"]

common_settings = CommonSettings(
    non_local_exec=True,
    implies_no_shared_fs=False,
    job_deploy_sources=False,
    auto_deploy_default_storage_provider=False,
    init_seconds_before_status_checks=1,
)
