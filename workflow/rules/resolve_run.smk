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

# The modules of the package that train, evaluate and ais_bounds all import.
PACKAGE = """
    __init__ arithmetic categorical checkpoint convolution data densities distributions draws
    estimate flow gaussian level_likelihoods likelihood mean_of_draws mlp networks noise pareto
    philox posterior prior spec two_layers
""".split()
TRAINING_CODE = [
    "train",
    "worker",
    *(
        f"vae/{name}"
        for name in [*PACKAGE, "enumeration", "objective", "train_step", "training"]
    ),
]
# What evaluate and ais_bounds share beyond that.
MEASURING_CODE = [
    *("evaluation_tables", "parts", "trained_model", "worker"),
    *(
        f"vae/{name}"
        for name in [*PACKAGE, "baselines", "checks", "simulation", "summary"]
    ),
]
EVALUATION_CODE = [
    "evaluate",
    *MEASURING_CODE,
    *(
        f"vae/{name}"
        for name in [
            "aggregate",
            "divergence",
            "enumeration",
            "exact_linear",
            "held_out",
            "kernel_logistic",
            "linear_gaussian",
            "neighbours",
            "overfitting",
            "per_image",
            "rate_parts",
            "two_sample",
        ]
    ),
]
AIS_CODE = [
    "ais_bounds",
    *MEASURING_CODE,
    *(f"vae/{name}" for name in ["ais", "amortisation", "bounds", "chains", "hmc"]),
]

# Pins and code are named here rather than of train and evaluate: while the environment is to be
# rebuilt, Snakemake asks nothing behind it for other reasons to run, ancient() or not.
SPECIFICATION_INPUTS = {
    "run": [],
    "training": [*PINS, *(f"{SCRIPTS}/{name}.py" for name in TRAINING_CODE)],
    "evaluation": [*PINS, *(f"{SCRIPTS}/{name}.py" for name in EVALUATION_CODE)],
    "ais_bounds": [*PINS, *(f"{SCRIPTS}/{name}.py" for name in AIS_CODE)],
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
