"""Set up Snakemake's own process: what it refuses, and the environment of all that it starts."""

import os
import sys
from collections.abc import Iterable, MutableMapping
from importlib.util import find_spec
from pathlib import Path

from elboflow.environment import surroundings

# What the rules' scripts import of requirements.in, by the names of its modules.
MODULES = (
    *("fontTools", "jinja2", "jsonschema", "latex2mathml", "markupsafe", "matplotlib", "numpy"),
    *("pandas", "requests", "scipy", "seaborn", "sklearn", "urllib3", "yaml"),
)


def refusal() -> str:
    """Why nothing can run here, or ''."""
    return (
        surroundings.refused_folder(str(Path.cwd()))
        or surroundings.strange_module()
        or missing_modules()
    )


def missing_modules(modules: Iterable[str] = MODULES) -> str:
    """What the Python that runs Snakemake lacks, which in another workflow is not ours, or ''."""
    missing = [module for module in modules if find_spec(module) is None]
    if not missing:
        return ""
    requirements = Path(__file__).parents[4] / "requirements.txt"
    return (
        f"the Python that runs Snakemake has no {', '.join(missing)}: "
        f"{sys.executable} -m pip install -r {requirements}"
    )


def set_environment(is_main: bool, environment: MutableMapping[str, str] = os.environ) -> None:
    """Leave what programs may see, and say where they cache.

    Args:
        is_main: whether this is the user's Snakemake. A job of the qsub executor is another one;
            what such a job has left in the user's shell is none.
    """
    surroundings.clear(environment)
    if is_main:
        for name in [name for name in environment if name.startswith("SNAKEMAKE_QSUB_")]:
            del environment[name]
    # Not matplotlib's own place: it is in the home, which may be read-only, beside the user's
    # settings. (Path.expanduser raises where the user is unknown.)
    cache = environment.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111
    environment["MPLCONFIGDIR"] = str(Path(cache, "elboflow", "matplotlib"))
