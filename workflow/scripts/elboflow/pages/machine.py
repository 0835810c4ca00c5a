"""Write the machine report: speed, ranks, hosts and versions, all that depends on the machine."""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from elboflow.pages.figure import figure
from elboflow.pages.html import render
from elboflow.pages.origin import git_commit
from elboflow.reading.columns import Columns
from elboflow.reading.csv_tables import read_table
from elboflow.reading.json_files import read_json
from elboflow.reading.scaling import MODEL, SCALING
from elboflow.reading.speeds import read_speeds
from elboflow.reading.used import read_jobs, summed

RANKS = Columns(
    text=("host", "device", "adds_with"),
    integers=("rank", "size", "local_rank", "local_size", "threads"),
)
ALLREDUCE = Columns(
    integers=("bytes",), floats=("latency_us",), optional=("bus_bandwidth_gb_per_s",)
)


def cost_of(speeds: Sequence[dict[str, Any]]) -> dict[str, float]:
    """What the jobs of a stage took together, each its wall time on all of its cores and hosts."""
    computing = sum(speed["seconds"] or 0.0 for speed in speeds) / 3600
    jobs = [(speed, (speed["job_seconds"] or speed["seconds"] or 0.0) / 3600) for speed in speeds]
    hours = sum(hours for _, hours in jobs)
    return {
        "jobs": len(jobs),
        "minutes": hours * 60,
        "computing": computing / hours if hours else math.nan,
        "core_hours": sum(
            hours * speed["ranks"] * speed["threads_per_rank"] for speed, hours in jobs
        ),
        "node_hours": sum(hours * len(speed["hosts"]) for speed, hours in jobs),
    }


def scaling_context(tables: Sequence[str | Path]) -> dict[str, Any] | None:
    """How training scales; None where the configuration does not ask for it."""
    if not tables:
        return None
    table, model = tables
    return {
        "rows": read_table(table, SCALING).to_dict("records"),
        "model": {"why_not": None, **read_json(model, MODEL)},
    }


def machine_context(
    ranks: str | Path,
    allreduce: str | Path,
    train: Sequence[str | Path],
    evaluate: Sequence[str | Path],
    ais_bounds: Sequence[str | Path],
    build: str | Path,
    packages: str | Path,
    used: Path | None = None,
    scaling: Sequence[str | Path] = (),
    figures: Sequence[str | Path] = (),
    captions: Sequence[str | Path] = (),
) -> dict[str, Any]:
    """What the template prints, but for what is found out at the time of writing."""
    stages = {"Training": read_speeds(train), "Evaluation": read_speeds(evaluate)}
    if ais_bounds:
        stages["AIS"] = read_speeds(ais_bounds)
    drawn = zip(figures, captions, strict=True)
    return {
        "ranks": read_table(ranks, RANKS).sort_values("rank").to_dict("records"),
        "allreduce": read_table(allreduce, ALLREDUCE).sort_values("bytes").to_dict("records"),
        "stages": stages,
        "costs": {stage: cost_of(speeds) for stage, speeds in stages.items()},
        "used": summed(read_jobs(used)) if used else [],
        "scaling": scaling_context(scaling),
        "figures": {Path(path).stem: figure(path, caption) for path, caption in drawn},
        "build": read_json(build, {}),
        "packages": Path(packages).read_text(encoding="utf-8").splitlines(),
    }


def machine_page(
    template: str | Path, origin: Mapping[str, Any] | None = None, **inputs: Any
) -> str:
    """The page, written now; `inputs` are those of machine_context."""
    return render(
        Path(template),
        written=datetime.now().astimezone().isoformat(sep=" ", timespec="seconds"),
        origin=origin,
        commit=git_commit(Path(__file__).parent),
        snakemake_version=version("snakemake"),
        **machine_context(**inputs),
    )
