"""Write the machine report: speed, ranks, hosts and versions, all that depends on the machine."""

from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from elboflow.pages.html import render, write_page
from elboflow.pages.machine import git_commit, machine_context
from elboflow.reading.snakemake_script import snakemake_script

snakemake: Any  # Snakemake puts it into scripts of `script:`


if __name__ == "__main__":
    with snakemake_script():
        html = render(
            Path(snakemake.input.template),
            written=datetime.now().astimezone().isoformat(sep=" ", timespec="seconds"),
            commit=git_commit(Path(__file__).parent),
            snakemake_version=version("snakemake"),
            **machine_context(
                ranks=snakemake.input.ranks,
                allreduce=snakemake.input.allreduce,
                train=snakemake.input.train,
                evaluate=snakemake.input.evaluate,
                build=snakemake.input.build,
                packages=snakemake.input.packages,
            ),
        )
        write_page(snakemake.output.report, html)
