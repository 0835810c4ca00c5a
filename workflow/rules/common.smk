"""
The checked configuration, and the names that all rules share.

Paths of the workflow's own files are relative to the working directory, so that moving a
checkout re-runs nothing.
"""

import json
import os
import re
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

WORKFLOW = os.path.relpath(os.path.join(workflow.basedir, "workflow"))
SCRIPTS = os.path.join(WORKFLOW, "scripts")
PYTHON = sys.executable

from elboflow.environment import surroundings

if workflow.is_main_process and (
    refusal := surroundings.refused_folder(os.getcwd()) or surroundings.strange_module()
):
    raise WorkflowError(refusal)

# All that is started from here on, on this machine, has this environment. A job of the qsub executor
# is another Snakemake; what one has left in the shell of this one is no job.
surroundings.clear()
if workflow.is_main_process:
    for name in [name for name in os.environ if name.startswith("SNAKEMAKE_QSUB_")]:
        del os.environ[name]

# Not matplotlib's own place: it is in the home, which may be read-only, beside the user's settings.
CACHE = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
os.environ.update(MPLCONFIGDIR=os.path.join(CACHE, "elboflow", "matplotlib"))

from elboflow.specification.check import check
from elboflow.specification.check_dataset import TABLES
from elboflow.files.code_digest import digest
from elboflow.images.content import known_sha256
from elboflow.images.errors import BadData
from elboflow.files.imports import modules_of
from elboflow.specification.resolve import resolve, specification
from elboflow.specification.resolve import (
    resolve_dataset,
    resolve_environment,
    resolve_key,
)

# A profile knows how many ranks fill a node of its site. What it sets for train holds for the batch of
# a rank, for the smoke test and for all checks as well.
TRAIN_RESOURCES = workflow.resource_settings.overwrite_resources.get("train", {})
for key in ("nodes", "tasks_per_node"):
    if key in TRAIN_RESOURCES:
        config[key] = TRAIN_RESOURCES[key].raw

try:
    # A job need not see the user's files, and what it does was checked when it was planned.
    check(config, read_files=workflow.is_main_process)
except ConfigError as error:
    raise WorkflowError(str(error))

RUNS = {run: resolve(config, run) for run in sorted(config["runs"])}
SEEDED = [(run, seed) for run in RUNS for seed in sorted(RUNS[run]["seeds"])]
WIDEST = max(
    RUNS.values(), key=lambda run: (run["nodes"] * run["tasks_per_node"], run["nodes"])
)

# For launch.sh. No params, since those are triggers: another device is no reason to train again.
os.environ.update(
    ELBOFLOW_GPU=resolve_environment(config)["gpu"],
    ELBOFLOW_STALL_SECONDS=str(resolve_key(config, "stall_seconds")),
)

# What every rule under mpirun starts with. Training waits for the smoke test and with it for the
# environment, but names it as ancient(): both gate, neither triggers. (An ancient() input that is
# missing does trigger, which is why no rule but `all` names the environment's folder.)
LAUNCH = os.path.join(SCRIPTS, "launch.sh")
PINS = sorted(str(path) for path in Path(WORKFLOW, "envs").glob("*.txt"))
VENV = "results/environment/venv"
SMOKE_TEST = "results/machine/smoke_test/ranks.csv"

# No job outlives this process, however it ends: a watchdog stands beside each command, also beside
# those that scripts run in.
DRIVER = os.getpid()
WATCHDOG = os.path.join(SCRIPTS, "watchdog.py")
shell.prefix("set -euo pipefail; {PYTHON:q} -Es {WATCHDOG:q} {DRIVER} $$ & ")


def per_run(pattern):
    return [pattern.format(run=run) for run in RUNS]


def per_seed(pattern):
    return [pattern.format(run=run, seed=seed) for run, seed in SEEDED]


def optional_flags(values, keys):
    """Command-line words for those keys that have a value: --some-key VALUE [VALUE ...]."""
    words = []
    for key in keys:
        if values[key]:
            given = values[key] if isinstance(values[key], list) else [values[key]]
            words += [f"--{key.replace('_', '-')}", *map(str, given)]
    return words


def dataset_key(key):
    """A param of a rule: that key of the resolved data set."""
    return lambda wildcards: resolve_dataset(config, wildcards.dataset)[key]


def datasets_regex(tables):
    """The names of the data sets that are tables, or of those that are images."""
    names = [
        re.escape(name)
        for name, values in config["datasets"].items()
        if (values["source"] in TABLES) == tables
    ]
    return "|".join(names) or "(?!)"  # which nothing matches


def dataset_path(wildcards):
    """The user's own file or folder, which the plan names. Snakemake takes braces for wildcards."""
    path = resolve_dataset(config, wildcards.dataset)["path"]
    return str(Path(path)) if path and not set("{}") & set(path) else []


def content_sha256(path):
    """The digest of the user's own file or folder: not its time but its content decides."""
    try:
        return known_sha256(Path(path), Path(".snakemake/data_digests"))
    except (BadData, OSError):
        return "unknown"  # it changes at this moment; fetch_data will find it other and say so


def optional_dataset_flags(wildcards):
    """The flags of those keys of a data set that are given; a path may begin with a dash."""
    values = resolve_dataset(config, wildcards.dataset)
    flags = [
        f"--{key.replace('_', '-')}={values[key]}"
        for key in ("path", "data_dir")
        if values[key]
    ]
    if values["path"]:
        flags.append(f"--sha256={content_sha256(values['path'])}")
    return flags + optional_flags(
        values, ["validation_images", "test_images", "mirrors"]
    )


def chapter_files(pattern, names):
    """Files that the report shows of the chapter: none, where the configuration leaves it out."""
    return [pattern.format(name=name) for name in names if resolve_key(config, "chapter")]


def code_of(*paths):
    """A param of a rule: what its code and pins do. Its inputs name them as ancient(), which leaves the
    decision to this: a comment, a docstring or another layout runs nothing again."""
    return digest(paths)


def document(specification, code):
    """A param: what a specification's file says. It alone decides whether that is written again, and is
    an argument of a command; the script of a directive would be run whenever its file is newer, and
    all trainings with it.

    With code and pins in it, an edit of these changes the file: what follows from it is asked for by
    every later call too, until it is there.
    """
    digest_of_code = {"code_sha256": code_of(*code)} if code else {}
    return json.dumps({**specification, **digest_of_code}, sort_keys=True)


def of_run(key):
    """A resource of a rule: that key of the resolved run."""
    return lambda wildcards: RUNS[wildcards.run][key]


def cores_of_run(wildcards):
    """Cores that a run's ranks keep busy, so that two trainings do not share them."""
    run = RUNS[wildcards.run]
    return run["nodes"] * run["tasks_per_node"] * run["threads_per_rank"]


wildcard_constraints:
    run="|".join(re.escape(run) for run in RUNS),
    seed="[0-9]+",
    dataset="|".join(re.escape(name) for name in config["datasets"]),
