"""
What rules under mpirun are made of: threads, resources, params and the launch line of its shell.

    threads: cores_of_run
    resources:
        **RANKS_OF_RUN,
        runtime=60,
    params:
        **launched("STAGE"),
    shell:
        LAUNCH_LINE + the flags of workflow/scripts/STAGE.py

Training waits for the smoke test and with it for the environment, but names it as ancient(): both gate,
neither triggers. (An ancient() input that is missing does trigger, which is why no rule but `all` names
the environment's folder.)
"""

import functools

from snakemake.resources import Resource, Resources

from elboflow.specification import slurm_nodes
from elboflow.specification.nodes import bounds, least_nodes, most_nodes, nodes_of_try
from elboflow.specification.resolve import document, resolve_key, specification

# Snakemake quotes no words as nothing at all.
LAUNCH_LINE = r"""
        {params.launch:q} \
            --nodes {resources.nodes} \
            --tasks-per-node {resources.tasks_per_node} \
            --threads-per-rank {resources.threads_per_rank} \
            --mpi ''{resources.mpi:q} \
            --venv {params.venv:q} \
            --log {log:q} \
            -- {params.script:q}"""
SMOKE_TEST = "<results>/machine/smoke_test/ranks.csv"

# The files in which the specification of a run is frozen, and the digests of what computes by them.
SPECIFICATIONS = {"run": None}

# For launch.sh. No params, since those are triggers: another device, or another library that adds the
# ranks' numbers, is no reason to train again.
os.environ.update(
    ELBOFLOW_COLLECTIVES=RESOLVED.environment["collectives"],
    ELBOFLOW_GPU=RESOLVED.environment["gpu"],
    ELBOFLOW_STALL_SECONDS=str(resolve_key(config, "stall_seconds")),
)


@functools.cache
def document_of(run, file):
    """What a file of SPECIFICATIONS is to say of a run."""
    return document(specification(run, RUNS[run], file), SPECIFICATIONS[file])


def launched(stage):
    """The params that LAUNCH_LINE takes."""
    return {
        "launch": f"{SCRIPTS}/launch.sh",
        "venv": VENV,
        "script": f"{SCRIPTS}/{stage}.py",
    }


def ranks(value_of):
    """The resources that LAUNCH_LINE takes, where `value_of` gives the value of a run's key."""
    return {
        "mpi": "mpirun",
        **{
            key: value_of(key)
            for key in ("nodes", "tasks_per_node", "threads_per_rank")
        },
        "cpus_per_task": value_of("threads_per_rank"),
    }


def cores(run, nodes=None):
    """Cores that a run's ranks keep busy, so that two trainings do not share them."""
    return (nodes or most_nodes(run)) * run["tasks_per_node"] * run["threads_per_rank"]


def cores_of_run(wildcards, attempt):
    nodes, _ = nodes_of_job(tuple(wildcards.items()), attempt)
    return cores(RUNS[wildcards.run], nodes)


def nodes_of_run(wildcards, attempt):
    nodes, why = nodes_of_job(tuple(wildcards.items()), attempt)
    if why:
        tell_once(why)
    return nodes


@functools.cache
def tell_once(words):
    logger.info(words)


@functools.cache
def nodes_of_job(wildcards, attempt):
    """How many nodes a try asks for, the same number where its job asks itself; and why."""
    run = RUNS[dict(wildcards)["run"]]
    if attempt == 1 or least_nodes(run) is None:
        return most_nodes(run), ""
    halved = nodes_of_try(run, attempt)
    if not workflow.is_main_process:
        return slurm_nodes.nodes_of_job(os.environ.get("SLURM_JOB_ID")) or halved, ""
    idle = idle_nodes()
    if idle is None:
        return halved, ""
    least, most = bounds(run)
    nodes = max(least, min(idle, most))
    title = " ".join(map("=".join, wildcards))
    within = f"of {least} to {most}: {idle} idle"
    return nodes, f"{title}, try {attempt}: asks for nodes={nodes}, {within}"


def idle_nodes():
    """The nodes that a training could have at once; None where they are not Slurm's, or it does not tell."""
    plugin = workflow.executor_plugin
    if not plugin or plugin.name != "slurm":
        return None
    resources = workflow.get_rule(rule_name("train")).resources
    return slurm_nodes.idle_nodes(resources.get("slurm_partition").raw)


RANKS_OF_RUN = {
    **ranks(lambda key: lambda wildcards: RUNS[wildcards.run][key]),
    "nodes": nodes_of_run,
    "nodes_least": lambda wildcards: least_nodes(RUNS[wildcards.run]),
}


def manifest_of_run(wildcards):
    return f"<results>/data/{RUNS[wildcards.run]['dataset']}/manifest.json"


def own_files_of(run):
    """The user's own model and weights, which the plan names; digests of them are in the specification.

    Snakemake takes braces for wildcards.
    """
    return [path for path in RUNS[run]["files"] if not set("{}") & set(path)]


def files_of_run(wildcards):
    return own_files_of(wildcards.run)


def code_of_stage(stage):
    """A digest of pins and code. The specification says it, not what reads it: while the environment is
    to be rebuilt, Snakemake asks nothing behind it for other reasons to run.
    """
    return digest([*PINS, *modules_of(f"{SCRIPTS}/{stage}.py")])


def take_over_resources(stage, former, but=()):
    """Let hold for a stage what a profile sets for a former one, and above it what it sets for this."""
    given = workflow.resource_settings.overwrite_resources
    for name, kept in ((former, but), (stage, ())):
        values = given.get(rule_name(name), {}).items()
        workflow.get_rule(rule_name(stage)).resources.update(
            Resources({key: value for key, value in values if key not in kept})
        )
    fill_in_tasks(stage)


def take_over_runtimes(stage):
    """Let hold for a stage what runs say of their walltime, above what a profile or the rule sets."""
    if any(run["runtime"] for run in RUNS.values()):
        resources = workflow.get_rule(rule_name(stage)).resources
        # Of a profile perhaps an expression, as attempt * 60.
        general = resources["runtime"]

        def runtime(wildcards, input, attempt, threads, rulename, async_run):
            return (
                RUNS[wildcards.run]["runtime"]
                or general.evaluate(
                    wildcards,
                    input=input,
                    attempt=attempt,
                    threads=threads,
                    rulename=rulename,
                    async_run=async_run,
                ).value
            )

        resources["runtime"] = runtime


def fill_in_tasks(stage):
    """Let {tasks_per_node} in what a profile sets for a stage stand for the ranks on a node of its job."""
    resources = workflow.get_rule(rule_name(stage)).resources
    tasks = resources["tasks_per_node"]

    def filled(name, text):
        def value(wildcards, input, attempt, threads, rulename, async_run):
            given = {
                "input": input,
                "attempt": attempt,
                "threads": threads,
                "rulename": rulename,
                "async_run": async_run,
            }
            count = tasks.evaluate(wildcards, **given).value
            words = text.replace("{tasks_per_node}", str(count))
            resource = Resource.from_cli_expression(name, words)
            return resource.evaluate(wildcards, **given).value

        return value

    for name, resource in resources.items():
        if "{tasks_per_node}" in str(resource.raw):
            resources[name] = filled(name, resource.raw)


def look_behind_gates(prepare):
    """Snakemake's preparation of its jobs, which then sees what is behind ancient() files.

    It leaves out all that depends on a job that runs again, since that will run too. What takes from it
    ancient() files alone does not: a call for one training, while the smoke test is to be done again, would
    end well without that training.
    """

    def prepare_and_look(*args, **kwargs):
        prepare(*args, **kwargs)
        dag = workflow.dag
        update, bfs = dag.update_needrun, dag.bfs

        async def update_needrun(*args, **kwargs):
            dag.bfs = lambda direction, *jobs: bfs(TriggeredBy(direction), *jobs)
            try:
                return await update(*args, **kwargs)
            finally:
                dag.bfs = bfs

        dag.update_needrun = update_needrun

    return prepare_and_look


class TriggeredBy(dict):
    """Of each job those that run again if it does, and the files that they take from it."""

    def __init__(self, direction):
        self.direction = direction

    def __getitem__(self, job):
        return {
            other: files
            for other, files in self.direction[job].items()
            if not all(file.is_ancient for file in files)
        }


workflow._prepare_dag = look_behind_gates(workflow._prepare_dag)
