"""How many nodes a job asks for: at first what it says, in a further try what starts soonest."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType

from snakemake_interface_executor_plugins.jobs import JobExecutorInterface

from . import identity, plan
from .commands import Answer, ask
from .request import Request
from .settings import ExecutorSettings


class Sizes:
    """The requests of one Snakemake's jobs.

    Args:
        jobname: Snakemake's own pattern for names of jobs.
        tell: is given a line for the user.
    """

    def __init__(
        self,
        settings: ExecutorSettings,
        dialect: ModuleType,
        jobname: str,
        tell: Callable[[str], None],
        ask: Callable[[Sequence[str]], Answer] = ask,
    ) -> None:
        self.settings, self.dialect, self.jobname = settings, dialect, jobname
        self.tell, self.ask = tell, ask
        self.most: dict[str, int] = {}  # nodes that jobs asked for in their first try

    def request(self, job: JobExecutorInterface) -> Request:
        """What a job asks for in this try.

        Raises:
            WorkflowError: as plan.request.
        """
        asked = plan.request(job, self.settings, self.jobname)
        if job.attempt == 1:
            self.most[identity.key(job)] = asked.nodes
        most = self.most.get(identity.key(job), asked.nodes)
        if job.attempt == 1 or asked.least >= most:
            return asked
        whole = plan.request(job, self.settings, self.jobname, on=most)
        if self.dialect.NODES_IN_JOB:
            return self._range(whole) or asked
        return self._free(job, whole) or asked

    def _range(self, whole: Request) -> Request | None:
        """Any number of nodes, of which the scheduler gives the most that can start."""
        if "{slots}" not in (self.settings.submit or "") or "slots" in whole.resources:
            return None
        self.tell(f"{whole.title}: asks for any number of nodes, {whole.least} to {whole.nodes}")
        return replace(whole, is_range=True)

    def _free(self, job: JobExecutorInterface, whole: Request) -> Request | None:
        """As many as are free, else the least, which start no later than more would."""
        words = whole.words(self.settings, Path("job.sh"), Path("log"))
        free = self.dialect.free_nodes(words, whole.resources.get("queue", ""), self.ask)
        if free is None:
            return None
        nodes = max(whole.least, min(free, whole.nodes))
        within = f"of {whole.least} to {whole.nodes}"
        self.tell(f"{whole.title}: asks for nodes={nodes}, {within}: {free} free")
        return plan.request(job, self.settings, self.jobname, on=nodes)
