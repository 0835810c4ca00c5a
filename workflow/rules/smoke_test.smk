"""
See that the launcher and the network between the ranks work, before anything trains.

INPUTS:

    build = <results>/environment/build.json   (a rebuilt environment is tested again)

OUTPUTS:

    ranks     = <results>/machine/smoke_test/ranks.csv       (one row per rank: host, device, threads)
    allreduce = <results>/machine/smoke_test/allreduce.csv   (latency in us, bus bandwidth in GB/s)
"""

WIDEST = max(
    ({**run, "nodes": most_nodes(run)} for run in RUNS.values()),
    key=lambda run: (run["nodes"] * run["tasks_per_node"], run["nodes"]),
)


rule smoke_test:
    """Start as many ranks as the widest run and let them add numbers."""
    input:
        build="<results>/environment/build.json",
    output:
        ranks=SMOKE_TEST,
        allreduce="<results>/machine/smoke_test/allreduce.csv",
    log:
        "<results>/logs/smoke_test.log",
    threads: cores(WIDEST)
    resources:
        **ranks(WIDEST.get),
        runtime=10,
    params:
        **launched("smoke_test"),
        repeats=20,
        code=digest(modules_of(f"{SCRIPTS}/smoke_test.py")),
        # Another size of the widest run is another test; training waits for it, but is not repeated.
        size=f"{WIDEST['nodes']} nodes x {WIDEST['tasks_per_node']} ranks",
    shell:
        LAUNCH_LINE + r""" \
            --repeats {params.repeats} \
            --ranks-csv {output.ranks:q} \
            --allreduce-csv {output.allreduce:q}
        """


fill_in_tasks("smoke_test")
