"""Print what the executor qsub would submit and what it can cost, without a scheduler at hand.

    snakemake --profile PROFILE --executor qsub-plan

A dry run of the same profile: nothing is submitted, run or changed.
"""

import atexit
from collections import defaultdict
from dataclasses import astuple, dataclass
from typing import Any

from snakemake_executor_plugin_qsub import (
    settings as of_qsub,  # a class of it would be taken for ours
)
from snakemake_executor_plugin_qsub.packing import Ready, alike, check, packs
from snakemake_executor_plugin_qsub.plan import is_known, request, title
from snakemake_executor_plugin_qsub.request import Request
from snakemake_executor_plugin_qsub.submission import require_variables
from snakemake_interface_executor_plugins.executors.base import AbstractExecutor, SubmittedJobInfo
from snakemake_interface_executor_plugins.jobs import JobExecutorInterface
from snakemake_interface_executor_plugins.registry import ExecutorPluginRegistry
from snakemake_interface_executor_plugins.settings import CommonSettings

__all__ = ["Executor", "common_settings"]

common_settings = CommonSettings(
    non_local_exec=False,
    dryrun_exec=True,
    implies_no_shared_fs=False,
    job_deploy_sources=False,
    pass_envvar_declarations_to_cmd=False,
    auto_deploy_default_storage_provider=False,
)


def settings_of_qsub() -> of_qsub.ExecutorSettings:
    """The profile's qsub-… lines, which Snakemake hands to the executor of that name alone."""
    from snakemake.cli import parse_args

    _, arguments = parse_args(None)
    plugin = ExecutorPluginRegistry().get_plugin("qsub")
    settings = plugin.get_settings(arguments)
    plugin.validate_settings(settings)
    return settings


@dataclass
class Cost:
    """Sums over the jobs of a queue; charged are node-hours x the queue's share of a node."""

    jobs: int = 0
    node_hours: float = 0.0
    charged: float = 0.0
    most_jobs: int = 0
    most_charged: float = 0.0

    def add(self, asked: Request) -> None:
        """Count a job of the scheduler once."""
        self.jobs += 1
        self.node_hours += float(asked.node_hours)
        self.charged += float(asked.charged)

    def add_most(self, asked: Request, attempts: int) -> None:
        """Count a job as often as it may be submitted; one that goes on does so alone."""
        self.most_jobs += attempts * asked.walltimes
        self.most_charged += float(attempts * asked.share * asked.most_node_hours)

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(*(one + more for one, more in zip(astuple(self), astuple(other), strict=True)))

    def row(self, name: str) -> str:
        return (
            f"{name:<12}{self.jobs:>8}{self.node_hours:>12.2f}{self.charged:>10.2f}"
            f"{self.most_jobs:>12}{self.most_charged:>14.2f}"
        )


class Executor(AbstractExecutor):
    """Prints each job's submit line in the order of a run, and the sums at the end."""

    def __init__(self, workflow: Any, logger: Any) -> None:
        super().__init__(workflow, logger)
        self.settings = settings_of_qsub()
        require_variables(self.settings.submit or "")
        check(self.settings)
        self.costs: dict[str, Cost] = defaultdict(Cost)
        self.local = 0
        self.ready: list[Ready] = []

    def run_jobs(self, jobs: list[JobExecutorInterface]) -> None:
        """Print jobs that are ready at the same time, and count them."""
        super().run_jobs(jobs)
        for members, shared in packs(alike(self.ready, self.settings), self.settings):
            self.show(members, shared)
        self.ready.clear()

    def run_job(self, job: JobExecutorInterface) -> None:
        """Take note of one job."""
        if self.stays_here(job):
            self.local += 1
        elif is_known(job, self.settings.submit or ""):
            general = self.workflow.remote_execution_settings
            self.ready.append((job, request(job, self.settings, general.jobname)))
        else:
            print(f"# {title(job)}: its resources are known when its inputs are there, not counted")
        info = SubmittedJobInfo(job)
        self.report_job_submission(info)
        self.report_job_success(info)

    def stays_here(self, job: JobExecutorInterface) -> bool:
        """Whether qsub would not be given the job; to an executor without nodes all are local."""
        if job.is_group():
            return False
        return job.rule.name in self.workflow._localrules or job.rule.norun

    def show(self, members: list[Ready], shared: Request) -> None:
        """Print the submit line of what one job of the scheduler runs."""
        cost = self.costs[str(shared.resources.get("queue", "jobs"))]
        cost.add(shared)
        for job, asked in members:
            rules = [each.rule for each in (job.jobs if job.is_group() else [job])]
            cost.add_most(asked, 1 + max(rule.restart_times for rule in rules))
        print(f"# {shared.title}", shared.line(self.settings), *shared.idle, sep="\n", flush=True)

    def printjob(self, job: JobExecutorInterface) -> None:
        """Nothing: the submit line stands for it."""

    def shutdown(self) -> None:
        """Print the sums at the very end, below Snakemake's own summary."""
        atexit.register(self.show_costs)

    def show_costs(self) -> None:
        """Print the sums; the most counts every retry and every walltime to its end."""
        print(
            f"\n{'queue':<12}{'jobs':>8}{'node-hours':>12}{'charged':>10}{'most jobs':>12}"
            f"{'most charged':>14}"
        )
        for queue, cost in sorted(self.costs.items()):
            print(cost.row(queue))
        if len(self.costs) > 1:
            print(sum(self.costs.values(), Cost()).row("all"))
        print(
            f"light jobs that run here: {self.local}. node-hours: each job once, to its walltime; "
            "charged: x the queue's share of a node; most: with every retry and every walltime "
            "that a job may go on for.",
            flush=True,
        )

    def cancel(self) -> None:
        """There is nothing to cancel."""

    def handle_job_success(self, job: JobExecutorInterface) -> None:
        """There is nothing to do."""

    def handle_job_error(self, job: JobExecutorInterface) -> None:
        """There is nothing to do."""

    @property
    def cores(self) -> int | None:
        return self.workflow.resource_settings.cores
