"""
Gather the results of all runs into tidy tables: sorted rows, fixed decimals.

INPUTS:

    runs      = results/runs/{run}/run.json
    metrics   = results/runs/{run}/seed{seed}/metrics.csv
    summaries = results/runs/{run}/seed{seed}/summary.csv
    units     = results/runs/{run}/seed{seed}/units.csv
    checks    = results/runs/{run}/seed{seed}/checks.csv

OUTPUTS, in results/tables/:

    runs.csv       one row per run x seed x quantity, with data and Monte Carlo error
    summary.csv    one row per run x quantity: mean over seeds, with all three errors
    training.csv   one row per run x seed x epoch (nats per image)
    units.csv      one row per run x seed x latent dimension
    checks.csv     one row per run x seed x check
    settings.csv   one row per run x key of its specification
"""


rule tables:
    """Stack the tables of all trainings and take the means over seeds."""
    input:
        files=[f"{SCRIPTS}/result_files.py", f"{SCRIPTS}/json_files.py"],
        runs=per_run("results/runs/{run}/run.json"),
        metrics=per_seed("results/runs/{run}/seed{seed}/metrics.csv"),
        summaries=per_seed("results/runs/{run}/seed{seed}/summary.csv"),
        units=per_seed("results/runs/{run}/seed{seed}/units.csv"),
        checks=per_seed("results/runs/{run}/seed{seed}/checks.csv"),
    output:
        runs="results/tables/runs.csv",
        summary="results/tables/summary.csv",
        training="results/tables/training.csv",
        units="results/tables/units.csv",
        checks="results/tables/checks.csv",
        settings="results/tables/settings.csv",
    localrule: True
    script:
        "../scripts/tables.py"
