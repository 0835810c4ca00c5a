"""
Measure a trained model on the test split.

INPUTS:

    evaluation  = <experiment>/runs/{run}/evaluation.json
    model       = <experiment>/runs/{run}/seed{seed}/model.safetensors
    description = <experiment>/runs/{run}/seed{seed}/model.json
    manifest    = <results>/data/{dataset}/manifest.json

OUTPUTS, in <experiment>/runs/{run}/seed{seed}/:

    per_image.csv   ELBO, rate, distortion, log p(x), ESS of each test image   (nats)
    summary.csv     their means with data error and Monte Carlo error
    bound_against_k.csv   mean bound on log p(x) at K, K/2, K/4 ... samples   (nats)
    units.csv       KL of each latent dimension, and whether it is active
    checks.csv      what was checked and what is to be warned of
    images.npz      originals, reconstructions and samples for the figures
    walks.npz       mean images on lines through the latent space; a latent plane's E[z|x]

Finished images live in <results>/state/{run}/seed{seed}/evaluate/{digest}, which no rule declares: a
job that was interrupted goes on with the others. The digest is of model and settings; the newest 4 are
kept.
"""

SPECIFICATIONS["evaluation"] = code_of_stage("evaluate")


rule evaluate:
    """Estimate ELBO and log p(x), and fail on what is impossible."""
    input:
        smoke_test=ancient(SMOKE_TEST),
        evaluation="<experiment>/runs/{run}/evaluation.json",
        own_files=ancient(files_of_run),
        model="<experiment>/runs/{run}/seed{seed}/model.safetensors",
        description="<experiment>/runs/{run}/seed{seed}/model.json",
        manifest=manifest_of_run,
    output:
        per_image="<experiment>/runs/{run}/seed{seed}/per_image.csv",
        summary="<experiment>/runs/{run}/seed{seed}/summary.csv",
        units="<experiment>/runs/{run}/seed{seed}/units.csv",
        bound_against_k="<experiment>/runs/{run}/seed{seed}/bound_against_k.csv",
        checks="<experiment>/runs/{run}/seed{seed}/checks.csv",
        images="<experiment>/runs/{run}/seed{seed}/images.npz",
        walks="<experiment>/runs/{run}/seed{seed}/walks.npz",
        speed="<experiment>/machine/evaluate/{run}/seed{seed}.json",
    log:
        "<experiment>/logs/evaluate/{run}/seed{seed}.log",
    threads: cores_of_run
    resources:
        **RANKS_OF_RUN,
        runtime=60,
    params:
        **launched("evaluate"),
        output_dir=subpath(output.summary, parent=True),
        data=DATA,
        state=f"{STATE}/{{run}}/seed{{seed}}/evaluate",
        progress=f"{PROGRESS}/{{run}}/seed{{seed}}/evaluate",
    shell:
        LAUNCH_LINE + r""" \
            --evaluation {input.evaluation:q} \
            --model {input.model:q} \
            --data {params.data:q} \
            --seed {wildcards.seed} \
            --state {params.state:q} \
            --progress {params.progress:q} \
            --output-dir {params.output_dir:q} \
            --speed {output.speed:q}
        """


fill_in_tasks("evaluate")
