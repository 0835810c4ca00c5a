"""
Score the test images of other data sets under a model, where the section `scores` of the configuration
asks for it.

INPUTS:

    evaluation   = <experiment>/runs/{run}/score.json
    model        = <experiment>/runs/{run}/seed{seed}/model.safetensors
    description  = <experiment>/runs/{run}/seed{seed}/model.json
    manifest     = <results>/data/{dataset}/manifest.json   of the run's own data set
    scored       = <results>/data/{dataset}/manifest.json

OUTPUTS:

    scores  = <experiment>/runs/{run}/seed{seed}/scores/{dataset}.csv   log p(x) of each test image   (nats)
    tables  = <experiment>/tables/scores.csv            (one row per run x seed x data set x quantity)
    summary = <experiment>/tables/scores_summary.csv    (one row per run x data set x quantity)

Finished images live in <results>/state/{run}/seed{seed}/score_{dataset}/{digest}, as those of evaluate.
"""

SCORED = RESOLVED.scores  # names of data sets by run
SCORES = [
    f"<experiment>/runs/{run}/seed{seed}/scores/{name}.csv"
    for run, seed in SEEDED
    for name in SCORED.get(run, [])
]
SCORES_SUMMARY = ["<experiment>/tables/scores_summary.csv"] if SCORES else []
SCORED_MANIFESTS = sorted(
    {
        f"<results>/data/{name}/manifest.json"
        for names in SCORED.values()
        for name in names
    }
)


if SCORES:
    SPECIFICATIONS["score"] = code_of_stage("score")

    rule score:
        """Estimate log p(x) of each test image of another data set."""
        input:
            smoke_test=ancient(SMOKE_TEST),
            evaluation="<experiment>/runs/{run}/score.json",
            own_files=ancient(files_of_run),
            model="<experiment>/runs/{run}/seed{seed}/model.safetensors",
            description="<experiment>/runs/{run}/seed{seed}/model.json",
            manifest=manifest_of_run,
            scored="<results>/data/{dataset}/manifest.json",
        output:
            scores="<experiment>/runs/{run}/seed{seed}/scores/{dataset}.csv",
        log:
            "<experiment>/logs/score/{run}/seed{seed}/{dataset}.log",
        threads: cores_of_run
        resources:
            **RANKS_OF_RUN,
            runtime=60,
        params:
            **launched("score"),
            data=DATA,
            state=f"{STATE}/{{run}}/seed{{seed}}/score_{{dataset}}",
            progress=f"{PROGRESS}/{{run}}/seed{{seed}}/score_{{dataset}}",
        shell:
            LAUNCH_LINE + r""" \
                --evaluation {input.evaluation:q} \
                --model {input.model:q} \
                --data {params.data:q} \
                --seed {wildcards.seed} \
                --state {params.state:q} \
                --progress {params.progress:q} \
                --dataset {wildcards.dataset:q} \
                --scores {output.scores:q}
            """

    take_over_resources("score", "evaluate")

    rule gather_scores:
        """Means over images, and how well log p(x) tells them from the run's own test images."""
        input:
            scores=SCORES,
            per_image=[
                f"<experiment>/runs/{run}/seed{seed}/per_image.csv"
                for run, seed in SEEDED
                if run in SCORED
            ],
            settings="<experiment>/tables/settings.csv",
            manifests=SCORED_MANIFESTS,
        output:
            scores="<experiment>/tables/scores.csv",
            summary="<experiment>/tables/scores_summary.csv",
        localrule: True
        script:
            "../scripts/gather_scores.py"
