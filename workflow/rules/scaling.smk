"""
Time one run's training on 1, 2, 4, ... ranks, where the section `scaling` of the configuration asks for
it.

INPUTS:

    training = <experiment>/runs/{run}/training.json
    manifest = <results>/data/{dataset}/manifest.json

OUTPUTS, in <experiment>/machine/scaling/:

    ranks{ranks}.json   seconds of a step and of its parts, with images per rank constant (weak scaling)
                        and with the run's own batch (strong)
    scaling.csv         one row per kind x number of ranks: measured, and carried on by a model
    model.json          that model of a step, or why there is none

    <experiment>/machine/scaling.svg   both as a figure

`snakemake scaling` makes these alone; machine.html shows them.
"""

from elboflow.specification.check_scaling import images_per_rank, layout

SCALING = RESOLVED.scaling
SCALING_FOLDER = "<experiment>/machine/scaling"
SCALING_TABLES = {
    "scaling": f"{SCALING_FOLDER}/scaling.csv",
    "model": f"{SCALING_FOLDER}/model.json",
}


if SCALING:
    SCALED = RUNS[SCALING["run"]]

    LAYOUTS = {
        str(count): {**SCALED, **layout(count, SCALED["tasks_per_node"])}
        for count in SCALING["ranks"]
    }

    rule measure_scaling:
        """Time steps on so many ranks; nothing else runs beside it on this machine."""
        input:
            smoke_test=ancient(SMOKE_TEST),
            training=f"<experiment>/runs/{SCALING['run']}/training.json",
            manifest=f"<results>/data/{SCALED['dataset']}/manifest.json",
            own_files=ancient(own_files_of(SCALING["run"])),
        output:
            record=f"{SCALING_FOLDER}/ranks{{ranks}}.json",
        log:
            "<experiment>/logs/measure_scaling/ranks{ranks}.log",
        wildcard_constraints:
            ranks="|".join(LAYOUTS),
        threads: max(cores(SCALED), workflow.resource_settings.cores or 1)
        resources:
            **ranks(lambda key: lambda wildcards: LAYOUTS[wildcards.ranks][key]),
            runtime=30,
        params:
            **launched("measure_scaling"),
            data=DATA,
            seed=min(SCALED["seeds"]),
            images_per_rank=images_per_rank(SCALED, SCALING["ranks"]),
            steps=SCALING["steps"],
            code=digest(modules_of(f"{SCRIPTS}/measure_scaling.py")),
        shell:
            LAUNCH_LINE + r""" \
                --training {input.training:q} \
                --data {params.data:q} \
                --seed {params.seed} \
                --images-per-rank {params.images_per_rank} \
                --steps {params.steps} \
                --record {output.record:q}
            """

    # Nodes and ranks are those above, and it cannot go on in another job.
    take_over_resources(
        "measure_scaling",
        "train",
        but=("nodes", "tasks_per_node", "runtime", "max_walltimes"),
    )

    rule fit_scaling:
        """Put all numbers of ranks in one table, and carry it on to more by a model of a step."""
        input:
            records=expand(f"{SCALING_FOLDER}/ranks{{ranks}}.json", ranks=LAYOUTS),
        output:
            **SCALING_TABLES,
        localrule: True
        script:
            "../scripts/fit_scaling.py"

    rule scaling:
        """All that is measured of scaling."""
        input:
            "<experiment>/machine/scaling.svg",
        localrule: True
