"""
See that the launcher, Horovod and the network between the ranks work, before anything trains.

INPUTS:

    build = results/environment/build.json   (a rebuilt environment is tested again)

OUTPUTS:

    ranks     = results/machine/smoke_test/ranks.csv       (one row per rank: host, device, threads)
    allreduce = results/machine/smoke_test/allreduce.csv   (latency in us, bus bandwidth in GB/s)
"""


rule smoke_test:
    """Start as many ranks as the widest run and let them add numbers."""
    input:
        build="results/environment/build.json",
    output:
        ranks=SMOKE_TEST,
        allreduce="results/machine/smoke_test/allreduce.csv",
    log:
        "results/logs/smoke_test.log",
    threads: WIDEST["nodes"] * WIDEST["tasks_per_node"] * WIDEST["threads_per_rank"]
    resources:
        mpi="mpirun",
        nodes=WIDEST["nodes"],
        tasks_per_node=WIDEST["tasks_per_node"],
        threads_per_rank=WIDEST["threads_per_rank"],
        cpus_per_task=WIDEST["threads_per_rank"],
        runtime=10,
    params:
        launch=LAUNCH,
        venv=VENV,
        repeats=20,
        script=f"{SCRIPTS}/smoke_test.py",
        code=code_of(*modules_of(f"{SCRIPTS}/smoke_test.py")),
        # Another size of the widest run is another test; training waits for it, but is not repeated.
        size=f"{WIDEST['nodes']} nodes x {WIDEST['tasks_per_node']} ranks",
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
            --repeats {params.repeats} \
            --ranks-csv {output.ranks:q} \
            --allreduce-csv {output.allreduce:q}
        """
