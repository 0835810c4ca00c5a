"""
Freeze what each run is, so that later edits of the config cannot get into its jobs.

INPUTS:

    config/*.yaml, sections defaults and runs

OUTPUTS, in <experiment>/runs/{run}/:

    run.json          the whole specification
    training.json     its training part, all that train reads
    evaluation.json   its evaluation part, all that evaluate reads
    ais_bounds.json   that and the keys of ais_bounds, all that ais_bounds reads
    score.json        the evaluation part, of runs that are scored on other data

Each file is renewed only when its own part changes: an edited evaluation key trains nothing.
"""


rule resolve_run:
    """Write the specification of a run, with all defaults filled in."""
    output:
        specification="<experiment>/runs/{run}/{file}.json",
    wildcard_constraints:
        file="|".join(SPECIFICATIONS),
    localrule: True
    params:
        script=f"{SCRIPTS}/resolve_run.py",
        document=lambda wildcards: document_of(wildcards.run, wildcards.file),
    shell:
        '"$ELBOFLOW_PYTHON" {params.script:q} {output.specification:q} {params.document:q}'
