"""The ELBO of one image for every q = N((mu_1, mu_2), sigma^2 I), at the best mu_2."""

from typing import Any

import numpy as np

from elboflow.chapter.script import chapter_script
from elboflow.chapter.surface import surface_of_first
from elboflow.chapter.tables import COMPONENTS, DECIMALS
from elboflow.reading.csv_tables import read_table, write_table

snakemake: Any  # Snakemake puts it into scripts of `script:`


if __name__ == "__main__":
    with chapter_script(), np.load(snakemake.input.grid) as grid:
        table = surface_of_first(grid, read_table(snakemake.input.components, COMPONENTS))
        write_table(table, snakemake.output.surface, DECIMALS)
