"""
Make the Python environment that trains: torch, and Horovod built for this machine's MPI.

INPUTS:

    pins = workflow/envs/*.txt

OUTPUTS:

    venv     = results/environment/venv
    build    = results/environment/build.json     (versions, compilers, what Horovod was built with)
    packages = results/environment/packages.txt   (name==version lines)
"""


rule build_environment:
    """Build or take from the cache what training needs."""
    input:
        script=f"{SCRIPTS}/build_environment.py",
        package=[f"{SCRIPTS}/horovod_build.py", f"{SCRIPTS}/wheelhouse.py"],
        pins=PINS,
    output:
        venv=directory(VENV),
        build="results/environment/build.json",
        packages="results/environment/packages.txt",
    log:
        "results/logs/build_environment.log",
    threads: 8
    resources:
        runtime=30,
    params:
        torch=resolve_environment(config)["torch"],
        flags=optional_flags(
            resolve_environment(config), ["site_python", "horovod_sdist"]
        ),
    shell:
        r"""
        {PYTHON:q} {input.script:q} \
            --python {PYTHON:q} \
            --torch {params.torch:q} {params.flags:q} \
            --pins {input.pins:q} \
            --venv {output.venv:q} \
            --build-json {output.build:q} \
            --packages {output.packages:q} \
            --log {log:q}
        """
