"""
Fit one VAE per run and seed.

INPUTS:

    training = <experiment>/runs/{run}/training.json
    manifest = <results>/data/{dataset}/manifest.json
    the user's own model and weights, if the run names any

OUTPUTS:

    model       = <experiment>/runs/{run}/seed{seed}/model.safetensors   (weights)
    description = <experiment>/runs/{run}/seed{seed}/model.json          (specification, shape, digests)
    metrics     = <experiment>/runs/{run}/seed{seed}/metrics.csv         (nats per image, one row an epoch)
    speed       = <experiment>/machine/train/{run}/seed{seed}.json       (images/s, hosts)

Weights that were trained elsewhere are validated alone: metrics.csv has one row then, of epoch 0.

With `tensorboard: true` event files lie in <experiment>/runs/{run}/seed{seed}/tensorboard/, which no rule
declares: times and hosts are in them.

Checkpoints live in <results>/state/{run}/seed{seed}/{digest}, which no rule declares: Snakemake deletes
the declared outputs of a failed job, and a training that was interrupted goes on from there. The digest
is of what is trained; the newest 4 are kept, so that going back to a former edit is instant.
"""

SPECIFICATIONS["training"] = code_of_stage("train")


rule train:
    """Train, going on from the state of an interrupted job if there is one."""
    input:
        smoke_test=ancient(SMOKE_TEST),
        training="<experiment>/runs/{run}/training.json",
        own_files=ancient(files_of_run),
        manifest=manifest_of_run,
    output:
        model="<experiment>/runs/{run}/seed{seed}/model.safetensors",
        description="<experiment>/runs/{run}/seed{seed}/model.json",
        metrics="<experiment>/runs/{run}/seed{seed}/metrics.csv",
        speed="<experiment>/machine/train/{run}/seed{seed}.json",
    log:
        "<experiment>/logs/train/{run}/seed{seed}.log",
    threads: cores_of_run
    resources:
        **RANKS_OF_RUN,
        runtime=60,
        # No param, since those are triggers: to follow a training otherwise is no reason to repeat it.
        tensorboard=lambda wildcards: int(RUNS[wildcards.run]["tensorboard"]),
    params:
        **launched("train"),
        data=DATA,
        state=f"{STATE}/{{run}}/seed{{seed}}",
        progress=f"{PROGRESS}/{{run}}/seed{{seed}}",
        checkpoint_seconds=60,
    shell:
        LAUNCH_LINE + r""" \
            --training {input.training:q} \
            --data {params.data:q} \
            --seed {wildcards.seed} \
            --state {params.state:q} \
            --progress {params.progress:q} \
            --checkpoint-seconds {params.checkpoint_seconds} \
            --tensorboard {resources.tensorboard} \
            --model {output.model:q} \
            --metrics {output.metrics:q} \
            --speed {output.speed:q}
        """


take_over_runtimes("train")
fill_in_tasks("train")
