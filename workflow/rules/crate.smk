"""
Pack a finished run with its description, as an RO-Crate of the profile Workflow Run Crate, on request:
`snakemake crate`.

INPUTS:

    configurations = what was read of config/, and of --configfile
    specifications = <experiment>/runs/{run}/run.json
    manifests      = <results>/data/{dataset}/manifest.json
    the Python files of the user's own models
    build          = <results>/environment/build.json
    pages, tables, figures, models

OUTPUTS:

    crate = <experiment>/crate/   (ro-crate-metadata.json, and copies; its dates are the report's)
"""


rule crate:
    """Copy what went in and what came out, and say of each what it is."""
    input:
        configurations=ancient([os.path.relpath(path) for path in workflow.configfiles]),
        specifications=per_run("<experiment>/runs/{run}/run.json"),
        manifests=sorted({*MANIFESTS, *SCORED_MANIFESTS}),
        models_of_ones_own=ancient(
            sorted(
                {
                    file
                    for run in RUNS
                    for file in own_files_of(run)
                    if file != RUNS[run]["weights"]
                }
            )
        ),
        build="<results>/environment/build.json",
        pages=lambda wildcards: [
            page for page in rules.all.input if page.endswith(".html")
        ],
        tables=[
            *rules.gather_tables.output,
            *rules.comparisons.output,
            *rules.reproduction.output,
            *rules.paper.output,
        ],
        figures=[f"<experiment>/figures/{name}.svg" for name in FIGURES],
        models=per_seed("<experiment>/runs/{run}/seed{seed}/model.safetensors")
        + per_seed("<experiment>/runs/{run}/seed{seed}/model.json")
        + per_seed("<experiment>/runs/{run}/seed{seed}/README.md"),
    output:
        crate=directory("<experiment>/crate"),
    localrule: True
    params:
        checkout=os.path.relpath(CHECKOUT),
    script:
        "../scripts/crate.py"
