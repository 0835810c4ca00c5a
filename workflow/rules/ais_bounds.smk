"""
Bound log p(x) from both sides, to see how far off importance sampling is, and split the gap to the ELBO
into the encoder's part and that of its family of q; for runs with ais_images.

INPUTS:

    evaluation  = <experiment>/runs/{run}/ais_bounds.json
    model       = <experiment>/runs/{run}/seed{seed}/model.safetensors
    description = <experiment>/runs/{run}/seed{seed}/model.json
    manifest    = <results>/data/{dataset}/manifest.json

OUTPUTS:

    bounds  = <experiment>/runs/{run}/seed{seed}/bounds.csv   (one row per test or simulated image, nats)
    speed   = <experiment>/machine/ais_bounds/{run}/seed{seed}.json   (images/s, hosts)
    tables  = <experiment>/tables/bounds.csv                  (one row per run x seed x quantity)
    summary = <experiment>/tables/bounds_summary.csv          (one row per run x quantity: mean over seeds)

Finished images live in <results>/state/{run}/seed{seed}/ais_bounds/{digest}, which no rule declares: a
job that was interrupted goes on with the others. The digest is of model and settings; the newest 4 are
kept.
"""

SPECIFICATIONS["ais_bounds"] = code_of_stage("ais_bounds")
BOUNDED = [run for run, values in RUNS.items() if values["ais_images"]]
BOUNDS = [
    f"<experiment>/runs/{run}/seed{seed}/bounds.csv"
    for run, seed in SEEDED
    if run in BOUNDED
]
BOUNDS_SUMMARY = ["<experiment>/tables/bounds_summary.csv"] if BOUNDED else []


if BOUNDED:

    rule ais_bounds:
        """Annealed importance sampling of test images, and of simulated ones in both directions."""
        input:
            smoke_test=ancient(SMOKE_TEST),
            evaluation="<experiment>/runs/{run}/ais_bounds.json",
            own_files=ancient(files_of_run),
            model="<experiment>/runs/{run}/seed{seed}/model.safetensors",
            description="<experiment>/runs/{run}/seed{seed}/model.json",
            manifest=manifest_of_run,
        output:
            bounds="<experiment>/runs/{run}/seed{seed}/bounds.csv",
            speed="<experiment>/machine/ais_bounds/{run}/seed{seed}.json",
        log:
            "<experiment>/logs/ais_bounds/{run}/seed{seed}.log",
        wildcard_constraints:
            run="|".join(re.escape(run) for run in BOUNDED),
        threads: cores_of_run
        resources:
            **RANKS_OF_RUN,
            runtime=60,
        params:
            **launched("ais_bounds"),
            data=DATA,
            state=f"{STATE}/{{run}}/seed{{seed}}/ais_bounds",
            progress=f"{PROGRESS}/{{run}}/seed{{seed}}/ais_bounds",
        shell:
            LAUNCH_LINE + r""" \
                --evaluation {input.evaluation:q} \
                --model {input.model:q} \
                --data {params.data:q} \
                --seed {wildcards.seed} \
                --state {params.state:q} \
                --progress {params.progress:q} \
                --bounds {output.bounds:q} \
                --speed {output.speed:q}
            """

    take_over_resources("ais_bounds", "evaluate")

    rule gather_bounds:
        """Means over images of the bounds of all runs that have them, and over seeds."""
        input:
            bounds=BOUNDS,
        output:
            bounds="<experiment>/tables/bounds.csv",
            summary="<experiment>/tables/bounds_summary.csv",
        localrule: True
        script:
            "../scripts/gather_bounds.py"
