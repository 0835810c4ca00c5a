"""The checked configuration with all defaults filled in, and the names that all rules share."""

import re

from elboflow.files.code_digest import digest
from elboflow.files.imports import modules_of
from elboflow.specification.check import check
from elboflow.pages.origin import configuration
from elboflow.specification.experiment import experiment_folder, experiment_name
from elboflow.specification.experiment_record import (
    record,
    refuse_other_records,
    write_record,
)


def rule_name(name):
    """The name of one of our rules, which `use rule * from elboflow as elboflow_*` changes."""
    return workflow.modifier.modify_rulename(name)


# A profile knows how many ranks fill a node of its site. What it sets for train holds for the batch of
# a rank, for the smoke test and for all checks as well.
TRAIN_RESOURCES = workflow.resource_settings.overwrite_resources.get(
    rule_name("train"), {}
)
for key in ("nodes", "tasks_per_node"):
    if key in TRAIN_RESOURCES:
        config[key] = TRAIN_RESOURCES[key].raw

# A job on a cluster may be given a copy of the configuration, under another name: it is told whose results
# it makes.
TOLD = "ELBOFLOW_EXPERIMENT"

try:
    # A job need not see the user's files, and what it does was checked when it was planned.
    RESOLVED = check(config, read_files=workflow.is_main_process)
    if workflow.is_main_process or IS_MODULE:
        EXPERIMENT = experiment_name(config, next(iter(named), None))
    else:
        EXPERIMENT = os.environ[TOLD] or None
    FILE = next(iter(named), DEFAULT_FILE)
    RECORD = record(FILE, RESOLVED.datasets)
    if workflow.is_main_process:
        refuse_other_records(Path(workflow.pathvars.get("results")), EXPERIMENT, RECORD)
except ConfigError as error:
    raise WorkflowError(str(error))

if not IS_MODULE:
    os.environ[TOLD] = EXPERIMENT or ""

    envvars:
        TOLD,


# Of another workflow, whose module this is, the pages cannot say which file it gave.
CONFIGURATION = (
    None
    if IS_MODULE
    else configuration(EXPERIMENT, FILE, workflow.config_settings.config_args or [])
)


# Paths begin with one of two: <results>, where environment, data and states lie, which all experiments
# share, or <experiment>.
pathvars:
    experiment=str(experiment_folder(Path("<results>"), EXPERIMENT)),


def located(path):
    """A path as Snakemake reads it, for params and Python, which take it as it stands."""
    return workflow.pathvars.apply(path)


DATA, STATE = located("<results>/data"), located("<results>/state")
# Where jobs tell how far they are, each of its experiment.
PROGRESS = located("<experiment>/state")
RUNS = dict(sorted(RESOLVED.runs.items()))
SEEDED = [(run, seed) for run in RUNS for seed in sorted(RUNS[run]["seeds"])]


def per_run(pattern):
    return [pattern.format(run=run) for run in RUNS]


def per_seed(pattern):
    return [pattern.format(run=run, seed=seed) for run, seed in SEEDED]


wildcard_constraints:
    run="|".join(map(re.escape, RUNS)),
    seed="[0-9]+",
    dataset="|".join(map(re.escape, RESOLVED.datasets)),
