"""
Make again what was damaged since it was written, and specifications that are not the configuration's.

INPUTS:

    <experiment>/**/.{name}.sha256
    <results>/data/{dataset}/.{name}.sha256
    <experiment>/runs/{run}/*.json

Each result has its digest beside it. Specifications are compared with the configuration itself:
Snakemake's record of what they were made from may be another folder's, or gone.

Included last, since it asks all rules what they make. Jobs have no part in it: a stage that reads what
is damaged refuses it.
"""

import json

from elboflow.files.damaged import damaged, says


def force(files, prepare):
    """Snakemake's preparation of its jobs, which then forces those that make these files.

    Its --forcerun would ask for them as well, whatever the targets of this call are.
    """

    def prepare_and_force(*args, **kwargs):
        prepare(*args, **kwargs)
        workflow.dag.forcefiles.update(files)

    return prepare_and_force


def former_specifications():
    """Those that say something else than the configuration."""
    for run in RUNS:
        for file in SPECIFICATIONS:
            path = located(f"<experiment>/runs/{run}/{file}.json")
            if os.path.exists(path) and not says(
                path, json.loads(document_of(run, file))
            ):
                yield path


if workflow.is_main_process:
    DAMAGED = [
        path
        for path in map(str, damaged(Path(located("<experiment>")), Path(DATA)))
        if any(rule.is_producer(path) for rule in workflow.rules)
    ]
    for path in DAMAGED:
        print(
            f"{path}: damaged, its content is not what was written; it is made again",
            file=sys.stderr,
        )
    MARKED = [page for page in MADE_PAGES if is_marked(Path(page))]
    FORCED = [*DAMAGED, *former_specifications(), *MARKED]
    if FORCED:
        workflow._prepare_dag = force(FORCED, workflow._prepare_dag)
