"""The settings of the executor: one --qsub-… option each, or a line of a profile."""

from dataclasses import dataclass, field
from pathlib import Path

from snakemake_interface_executor_plugins.settings import ExecutorSettingsBase

from .queues import Queue, read, written


@dataclass
class ExecutorSettings(ExecutorSettingsBase):
    """What a site's profile says."""

    dialect: str | None = field(
        default=None,
        metadata={
            "type": str,
            "help": "The scheduler's dialect of qsub and qstat: pbs or gridengine.",
            "choices": ["pbs", "gridengine"],
            "required": True,
        },
    )
    submit: str | None = field(
        default=None,
        metadata={
            "type": str,
            "help": "The submit line, 'qsub -P $GROUP -l select={nodes} … {script}'. {…} are the "
            "job's resources and: walltime (HH:MM:SS, from runtime), name, script, log (for the "
            "scheduler's own output).",
            "required": True,
        },
    )
    queues: dict[str, Queue] = field(
        default_factory=dict,
        metadata={
            "nargs": "+",
            "parse_func": read,
            "unparse_func": written,
            "help": "Queues, one line each, of which a job that names none goes to the first that "
            "has room for it: 'rt_HG nodes=1 tasks_per_node=1 share=1/8 ssh=0'. nodes and "
            "tasks_per_node are the most of one job (1); share is what of a node is charged (1); "
            "other words are resources of the queue's jobs.",
        },
    )
    pack: int = field(
        default=1,
        metadata={
            "help": "How many jobs of one node and one task may share a node in one job, each with "
            "a GPU of its own (1: none); they do where that is charged no more than each alone."
        },
    )
    prelude: Path | None = field(
        default=None,
        metadata={
            "type": Path,
            "help": "A bash file that each job reads first, for modules and exports; `exit 1` in "
            "it fails the job.",
        },
    )
    export: str = field(
        default="",
        metadata={
            "help": "Names of environment variables, separated by commas, that jobs get from the "
            "shell of this Snakemake where they are set there."
        },
    )
    logdir: Path = field(
        default=Path(".snakemake/qsub/logs"),
        metadata={"help": "Folder of the jobs' logs."},
    )
    keep_logs: float = field(
        default=10.0,
        metadata={
            "help": "Days after which a start removes the logs of jobs; 0 keeps them for good."
        },
    )
    exclude: str = field(
        default="",
        metadata={
            "help": "Words that keep a submission away from hosts on which jobs fail that succeed "
            "elsewhere, with {hosts} for their names, joined by |: '-l h=!({hosts})'. PBS has none."
        },
    )
    poll: float = field(
        default=30.0,
        metadata={
            "help": "Seconds between two status queries, each for all jobs; up to four times as "
            "many while nothing changes. Ends of jobs are seen in files, within 5 seconds."
        },
    )
    grace: float = field(
        default=60.0,
        metadata={
            "help": "Seconds to wait for the exit code of a job that the scheduler no longer "
            "lists: network file systems show new files late."
        },
    )
    max_silence: float = field(
        default=3600.0,
        metadata={
            "help": "Seconds without an answer of the scheduler (or of the file system) that can "
            "be read, after which Snakemake stops; jobs are left alone, and the next start takes "
            "them over."
        },
    )
    margin: int = field(
        default=120,
        metadata={
            "help": "Seconds before the end of its walltime at which a program should have saved "
            "its state and ended; at most three quarters of the walltime."
        },
    )
    max_walltimes: int = field(
        default=10,
        metadata={
            "help": "How many walltimes one job may take that asks to go on; a rule's resource "
            "max_walltimes says it for that rule."
        },
    )
