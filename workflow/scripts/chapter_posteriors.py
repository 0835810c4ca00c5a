"""For single images: the best q of simple and complicated families, and what each costs."""

from typing import Any

import numpy as np

from elboflow.chapter.posteriors import posterior_tables
from elboflow.chapter.script import chapter_script
from elboflow.chapter.tables import DECIMALS
from elboflow.reading.csv_tables import write_table

snakemake: Any  # Snakemake puts it into scripts of `script:`


if __name__ == "__main__":
    with chapter_script(), np.load(snakemake.input.grid) as grid:
        measured, parts = posterior_tables(grid)
        write_table(measured, snakemake.output.posteriors, DECIMALS)
        write_table(parts, snakemake.output.components, DECIMALS)
