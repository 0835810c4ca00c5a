"""For single images: the best q of simple and complicated families, and what each costs."""

from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from elboflow.chapter.posteriors import tabulate
from elboflow.chapter.tables import write
from elboflow.reading.result_files import in_one_line

snakemake: Any  # Snakemake puts it into scripts of `script:`


if __name__ == "__main__":
    # The number of threads can change the last digits.
    with in_one_line(), threadpool_limits(1), np.load(snakemake.input.grid) as archive:
        measured, parts = tabulate(archive)
        write(measured, snakemake.output.posteriors)
        write(parts, snakemake.output.components)
