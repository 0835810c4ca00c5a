"""Draw a figure: its module says how, and workflow/rules/plot.smk from what."""

from importlib import import_module
from typing import Any

from elboflow.figures import style
from elboflow.reading.snakemake_script import snakemake_script

snakemake: Any  # Snakemake puts it into scripts of `script:`


if __name__ == "__main__":
    with snakemake_script():
        module = import_module(snakemake.params.module)
        style.save_figure(module.draw(snakemake.input), snakemake.output.figure)
