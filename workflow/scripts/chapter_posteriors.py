"""For single images: the best q of simple and complicated families, and what each costs."""

from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from elboflow.chapter.posteriors import posterior_tables
from elboflow.chapter.tables import DECIMALS
from elboflow.reading.csv_tables import write_table
from elboflow.reading.snakemake_script import snakemake_script

snakemake: Any  # Snakemake puts it into scripts of `script:`


if __name__ == "__main__":
    # The number of threads can change the last digits.
    with snakemake_script(), threadpool_limits(1), np.load(snakemake.input.grid) as archive:
        measured, parts = posterior_tables(archive)
        write_table(measured, snakemake.output.posteriors, DECIMALS)
        write_table(parts, snakemake.output.components, DECIMALS)
