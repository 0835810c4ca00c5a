"""
Make again what was damaged since it was written: each result has its digest beside it.

INPUTS:

    results/**/.{name}.sha256

Included last, since it asks all rules what they make. Jobs have no part in it: a stage that reads what
is damaged refuses it.
"""

from damaged_results import damaged


def force(files, prepare):
    """Snakemake's preparation of its jobs, which then forces those that make these files.

    Its --forcerun would ask for them as well, whatever the targets of this call are.
    """

    def prepare_and_force(*args, **kwargs):
        prepare(*args, **kwargs)
        workflow.dag.forcefiles.update(files)

    return prepare_and_force


if workflow.is_main_process:
    DAMAGED = [
        path
        for path in map(str, damaged(Path("results")))
        if any(rule.is_producer(path) for rule in workflow.rules)
    ]
    for path in DAMAGED:
        print(
            f"{path}: damaged, its content is not what was written; it is made again",
            file=sys.stderr,
        )
    if DAMAGED:
        workflow._prepare_dag = force(DAMAGED, workflow._prepare_dag)
