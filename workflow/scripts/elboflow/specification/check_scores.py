"""The section of the configuration that scores other data sets under a run's model."""

from elboflow.specification.check_dataset import TABLES
from elboflow.specification.model_size import SHAPES, Shape
from elboflow.specification.resolve import Resolved
from elboflow.vae.choices import observed_by


def complaint_about_scores(resolved: Resolved) -> str | None:
    """What is wrong with the section, as `run: what`; None if nothing is, or there is none."""
    for run, names in resolved.scores.items():
        if run not in resolved.runs:
            return f"{run}: no run {run!r}, known are {', '.join(resolved.runs)}"
        if not names:
            own = resolved.runs[run]["dataset"]
            return f"{run}: {own} is its own data set, whose test images are scored in any case"
        for name in names:
            if complaint := _complaint_about(resolved, run, name):
                return f"{run}: {complaint}"
    return None


def _complaint_about(resolved: Resolved, run: str, name: str) -> str | None:
    """Why a run cannot be scored on a data set, as far as can be told without its images."""
    if name not in resolved.datasets:
        return f"no data set {name!r}, known are {', '.join(resolved.datasets)}"
    own = resolved.runs[run]["dataset"]
    source, trained_on = (resolved.datasets[one]["source"] for one in (name, own))
    if source in TABLES:
        return f"{name} is of {source}, a table without images"
    if source not in SHAPES or trained_on not in SHAPES:
        return None  # the user's own files: the stage will tell
    here, there = SHAPES[source], SHAPES[trained_on]
    if here[:3] != there[:3]:
        return f"{name} has images of {_by(here)}, and the run is trained on {_by(there)}"
    observes = observed_by(resolved.runs[run])
    if observes != "binary" and here.levels != there.levels:
        levels = f"levels 0 to {here.levels}, and the run is trained on 0 to {there.levels}"
        return f"{name} has {levels}"
    return None


def _by(shape: Shape) -> str:
    return f"{shape.height} x {shape.width}"
