"""
Measure a trained model on the test split.

INPUTS:

    evaluation  = results/runs/{run}/evaluation.json
    model       = results/runs/{run}/seed{seed}/model.safetensors
    description = results/runs/{run}/seed{seed}/model.json
    manifest    = results/data/{dataset}/manifest.json

OUTPUTS, in results/runs/{run}/seed{seed}/:

    per_image.csv   ELBO, rate, distortion, log p(x), ESS of each test image   (nats)
    summary.csv     their means with data error and Monte Carlo error
    bound_against_k.csv   mean bound on log p(x) at K, K/2, K/4 ... samples   (nats)
    units.csv       KL of each latent dimension, and whether it is active
    checks.csv      what was checked and what is to be warned of
    images.npz      originals, reconstructions and samples for the figures

Finished images live in results/state/{run}/seed{seed}/evaluate/{digest}, which no rule declares: a
job that was interrupted goes on with the others. The digest is of model and settings; the newest 4 are
kept.
"""

SPECIFICATIONS["evaluation"] = code_of_stage("evaluate")


rule evaluate:
    """Estimate ELBO and log p(x), and fail on what is impossible."""
    input:
        smoke_test=ancient(SMOKE_TEST),
        evaluation="results/runs/{run}/evaluation.json",
        own_files=ancient(files_of_run),
        model="results/runs/{run}/seed{seed}/model.safetensors",
        description="results/runs/{run}/seed{seed}/model.json",
        manifest=manifest_of_run,
    output:
        per_image="results/runs/{run}/seed{seed}/per_image.csv",
        summary="results/runs/{run}/seed{seed}/summary.csv",
        units="results/runs/{run}/seed{seed}/units.csv",
        bound_against_k="results/runs/{run}/seed{seed}/bound_against_k.csv",
        checks="results/runs/{run}/seed{seed}/checks.csv",
        images="results/runs/{run}/seed{seed}/images.npz",
        speed="results/machine/evaluate/{run}/seed{seed}.json",
    log:
        "results/logs/evaluate/{run}/seed{seed}.log",
    threads: cores_of_run
    resources:
        **RANKS_OF_RUN,
        runtime=60,
    params:
        **launched("evaluate"),
        output_dir=subpath(output.summary, parent=True),
        state="results/state/{run}/seed{seed}/evaluate",
    shell:
        LAUNCH_LINE + r""" \
            --evaluation {input.evaluation:q} \
            --model {input.model:q} \
            --data results/data \
            --seed {wildcards.seed} \
            --state {params.state:q} \
            --output-dir {params.output_dir:q} \
            --speed {output.speed:q}
        """
