"""
Make the Python environment that trains: torch, and Horovod built for this machine's MPI and GPUs, or with
`collectives: torch` torch alone.

INPUTS:

    pins = workflow/envs/*.txt

OUTPUTS:

    venv     = <results>/environment/venv
    build    = <results>/environment/build.json     (versions, compilers, what ranks add by)
    packages = <results>/environment/packages.txt   (name==version lines)
"""

BUILDING_SCRIPT = f"{SCRIPTS}/build_environment.py"
from elboflow.specification.flags import optional_flags

PINS = sorted(str(path) for path in Path(WORKFLOW, "envs").glob("*.txt"))
VENV = located("<results>/environment/venv")
ENVIRONMENT = RESOLVED.environment
# It starts pip by way of a script.
BUILDING_CODE = [
    f"{SCRIPTS}/elboflow/environment/site_pip.py",
    *modules_of(BUILDING_SCRIPT, without={"elboflow.files.whole"}),
]


rule build_environment:
    """Build or take from the cache what training needs."""
    input:
        script=ancient(BUILDING_SCRIPT),
        code=ancient(BUILDING_CODE),
        pins=PINS,
    output:
        venv=directory(VENV),
        build="<results>/environment/build.json",
        packages="<results>/environment/packages.txt",
    log:
        "<results>/logs/build_environment.log",
    priority: 1  # all training waits for it
    threads: 8
    resources:
        runtime=30,
    params:
        # Pins as well: an older file in the place of one shows.
        code=digest([*PINS, *BUILDING_CODE]),
        collectives=ENVIRONMENT["collectives"],
        torch=ENVIRONMENT["torch"],
        gpu=ENVIRONMENT["gpu"],
        flags=optional_flags(
            ENVIRONMENT,
            ["site_python", "horovod_sdist", "cuda_architectures", "container"],
        ),
        variables=[
            word
            for name, value in sorted(ENVIRONMENT["build_variables"].items())
            for word in ("--build-variable", f"{name}={value}")
        ],
    shell:
        r"""
        "$ELBOFLOW_PYTHON" {input.script:q} \
            --python "$ELBOFLOW_PYTHON" \
            --collectives {params.collectives:q} \
            --torch {params.torch:q} --gpu {params.gpu:q} \
            {params.flags:q} {params.variables:q} \
            --pins {input.pins:q} \
            --venv {output.venv:q} \
            --build-json {output.build:q} \
            --packages {output.packages:q} \
            --log {log:q}
        """
