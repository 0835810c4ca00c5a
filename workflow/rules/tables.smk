"""
Gather the results of all runs into tidy tables: sorted rows, fixed decimals.

INPUTS:

    runs      = <experiment>/runs/{run}/run.json
    metrics   = <experiment>/runs/{run}/seed{seed}/metrics.csv
    summaries = <experiment>/runs/{run}/seed{seed}/summary.csv
    units     = <experiment>/runs/{run}/seed{seed}/units.csv
    checks    = <experiment>/runs/{run}/seed{seed}/checks.csv
    curves    = <experiment>/runs/{run}/seed{seed}/bound_against_k.csv
    per_image = <experiment>/runs/{run}/seed{seed}/per_image.csv
    published = config/published.yaml

OUTPUTS, in <experiment>/tables/:

    runs.csv       one row per run x seed x quantity, with data and Monte Carlo error
    summary.csv    one row per run x quantity: mean over seeds, with all three errors
    training.csv   one row per run x seed x epoch (nats per image)
    units.csv      one row per run x seed x latent dimension
    checks.csv     one row per run x seed x check
    settings.csv   one row per run x key of its specification

    bound_against_k.csv   one row per run x seed x number of samples (nats per image)

    comparisons.csv    one row per pair of runs on the same images x quantity (nats per image)
    reproduction.csv   one row per run that names a published value     (nats per image)
    paper.csv, .tex    one row per run, values with errors as -101.23(11)
"""

PUBLISHED = os.path.relpath(CHECKOUT / "config" / "published.yaml")

# For Snakemake's report, what a row of each is for.
ROW_OF_TABLE = {
    "runs": "run, seed and quantity",
    "summary": "run and quantity",
    "training": "run, seed and epoch",
    "units": "run, seed and latent dimension",
    "checks": "run, seed and check",
    "settings": "run and key",
    "bound_against_k": "run, seed and number of samples",
    "comparisons": "pair of runs and quantity",
    "reproduction": "run with a published value",
    "paper": "run, as papers print it",
}


REPORTED_TABLES = {
    name: report(
        f"<experiment>/tables/{name}.csv",
        category="Tables",
        labels={"table": name, "a row for each": row},
    )
    for name, row in ROW_OF_TABLE.items()
}


rule gather_tables:
    """Stack the tables of all trainings and take the means over seeds."""
    input:
        runs=per_run("<experiment>/runs/{run}/run.json"),
        metrics=per_seed("<experiment>/runs/{run}/seed{seed}/metrics.csv"),
        summaries=per_seed("<experiment>/runs/{run}/seed{seed}/summary.csv"),
        units=per_seed("<experiment>/runs/{run}/seed{seed}/units.csv"),
        checks=per_seed("<experiment>/runs/{run}/seed{seed}/checks.csv"),
        curves=per_seed("<experiment>/runs/{run}/seed{seed}/bound_against_k.csv"),
        descriptions=per_seed("<experiment>/runs/{run}/seed{seed}/model.json"),
    output:
        runs=REPORTED_TABLES["runs"],
        summary=REPORTED_TABLES["summary"],
        training=REPORTED_TABLES["training"],
        units=REPORTED_TABLES["units"],
        checks=REPORTED_TABLES["checks"],
        settings=REPORTED_TABLES["settings"],
        bound_against_k=REPORTED_TABLES["bound_against_k"],
    localrule: True
    script:
        "../scripts/gather_tables.py"


rule comparisons:
    """Paired differences between all runs on the same test images."""
    input:
        settings="<experiment>/tables/settings.csv",
        summary="<experiment>/tables/summary.csv",
        per_image=per_seed("<experiment>/runs/{run}/seed{seed}/per_image.csv"),
    output:
        comparisons=REPORTED_TABLES["comparisons"],
    localrule: True
    script:
        "../scripts/comparisons.py"


rule reproduction:
    """Put our log p(x) beside published values."""
    input:
        published=ancient(PUBLISHED),
        runs="<experiment>/tables/runs.csv",
        summary="<experiment>/tables/summary.csv",
        training="<experiment>/tables/training.csv",
        settings="<experiment>/tables/settings.csv",
    output:
        reproduction=REPORTED_TABLES["reproduction"],
    localrule: True
    params:
        published={
            run: values["published"]
            for run, values in RUNS.items()
            if values["published"]
        },
        values=lambda wildcards: digest([PUBLISHED]),  # an older file in its place shows
    script:
        "../scripts/reproduction.py"


rule paper:
    """One row per run, as a table for LaTeX."""
    input:
        summary="<experiment>/tables/summary.csv",
        settings="<experiment>/tables/settings.csv",
    output:
        csv=REPORTED_TABLES["paper"],
        tex="<experiment>/tables/paper.tex",
    localrule: True
    script:
        "../scripts/paper.py"
