"""
Freeze what each run is, so that later edits of the config cannot get into its jobs.

INPUTS:

    config/*.yaml, sections defaults and runs

OUTPUTS, in results/runs/{run}/:

    run.json          the whole specification
    training.json     its training part, all that train reads
    evaluation.json   its evaluation part, all that evaluate reads
    ais_bounds.json   that and the keys of ais_bounds, all that ais_bounds reads

Each file is renewed only when its own part changes: an edited evaluation key trains nothing.
"""

# Pins and code are named here rather than of train and evaluate: while the environment is to be
# rebuilt, Snakemake asks nothing behind it for other reasons to run, ancient() or not.
SPECIFICATION_INPUTS = {
    "run": [],
    "training": [*PINS, *modules_of(f"{SCRIPTS}/train.py")],
    "evaluation": [*PINS, *modules_of(f"{SCRIPTS}/evaluate.py")],
    "ais_bounds": [*PINS, *modules_of(f"{SCRIPTS}/ais_bounds.py")],
}


rule resolve_run:
    """Write the specification of a run, with all defaults filled in."""
    input:
        lambda wildcards: ancient(SPECIFICATION_INPUTS[wildcards.file]),
    output:
        specification="results/runs/{run}/{file}.json",
    wildcard_constraints:
        file="run|training|evaluation|ais_bounds",
    localrule: True
    params:
        script=f"{SCRIPTS}/resolve_run.py",
        document=lambda wildcards: document(
            specification(config, wildcards.run, wildcards.file),
            SPECIFICATION_INPUTS[wildcards.file],
        ),
    shell:
        "{PYTHON:q} {params.script:q} {output.specification:q} {params.document:q}"
