"""Write the machine report: speed, ranks, hosts and versions, all that depends on the machine."""

from typing import Any

from elboflow.pages.html import write_page
from elboflow.pages.machine import machine_page
from elboflow.pages.origin import made_now
from elboflow.reading.snakemake_script import snakemake_script
from elboflow.reading.used import USED

snakemake: Any  # Snakemake puts it into scripts of `script:`


if __name__ == "__main__":
    with snakemake_script():
        html = machine_page(
            snakemake.input.template,
            made_now(snakemake.params.configuration),
            ranks=snakemake.input.ranks,
            allreduce=snakemake.input.allreduce,
            train=snakemake.input.train,
            evaluate=snakemake.input.evaluate,
            ais_bounds=snakemake.input.ais_bounds,
            build=snakemake.input.build,
            packages=snakemake.input.packages,
            used=USED,
            scaling=snakemake.input.scaling,
            figures=snakemake.input.figures,
            captions=snakemake.input.captions,
        )
        write_page(snakemake.output.report, html)
