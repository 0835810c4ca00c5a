"""
Fit one VAE per run and seed.

INPUTS:

    training = results/runs/{run}/training.json
    manifest = results/data/{dataset}/manifest.json

OUTPUTS:

    model   = results/runs/{run}/seed{seed}/model.pt
    metrics = results/runs/{run}/seed{seed}/metrics.csv          (nats per image, one row an epoch)
    speed   = results/machine/train/{run}/seed{seed}.json        (images/s, hosts)

Checkpoints live in results/state/{run}/seed{seed}/{digest}, which no rule declares: Snakemake deletes
the declared outputs of a failed job, and a training that was interrupted goes on from there. The digest
is of what is trained; the newest 4 are kept, so that going back to a former edit is instant.
"""


rule train:
    """Train, going on from the state of an interrupted job if there is one."""
    input:
        smoke_test=ancient(SMOKE_TEST),
        training="results/runs/{run}/training.json",
        manifest=lambda wildcards: (
            f"results/data/{RUNS[wildcards.run]['dataset']}/manifest.json"
        ),
    output:
        model="results/runs/{run}/seed{seed}/model.pt",
        metrics="results/runs/{run}/seed{seed}/metrics.csv",
        speed="results/machine/train/{run}/seed{seed}.json",
    log:
        "results/logs/train/{run}/seed{seed}.log",
    threads: cores_of_run
    resources:
        mpi="mpirun",
        nodes=of_run("nodes"),
        tasks_per_node=of_run("tasks_per_node"),
        threads_per_rank=of_run("threads_per_rank"),
        cpus_per_task=of_run("threads_per_rank"),
        runtime=60,
    params:
        launch=LAUNCH,
        venv=VENV,
        script=f"{SCRIPTS}/train.py",
        state="results/state/{run}/seed{seed}",
        checkpoint_seconds=60,
    shell:
        r"""
        {params.launch:q} \
            --nodes {resources.nodes} \
            --tasks-per-node {resources.tasks_per_node} \
            --threads-per-rank {resources.threads_per_rank} \
            --mpi {resources.mpi:q} \
            --venv {params.venv:q} \
            --log {log:q} \
            -- {params.script:q} \
            --training {input.training:q} \
            --data results/data \
            --seed {wildcards.seed} \
            --state {params.state:q} \
            --checkpoint-seconds {params.checkpoint_seconds} \
            --model {output.model:q} \
            --metrics {output.metrics:q} \
            --speed {output.speed:q}
        """
