"""Two ways to p(y|x) on real data: learn it, or learn p(x|y) and p(y) and use Bayes' rule."""

from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from elboflow.chapter.classifiers import classifier_tables, digits, spambase
from elboflow.chapter.tables import DECIMALS
from elboflow.reading.csv_tables import write_table
from elboflow.reading.snakemake_script import snakemake_script

snakemake: Any  # Snakemake puts it into scripts of `script:`


def main() -> None:
    given, told = snakemake.input, snakemake.params
    tasks = [digits(np.load(given.test), told.held_out, told.split_seed)]
    if given.spambase:
        tasks.append(spambase(*(np.load(path) for path in given.spambase)))
    for name, found in classifier_tables(tasks).items():
        write_table(found, getattr(snakemake.output, name), DECIMALS)


if __name__ == "__main__":
    # The number of threads can change the last digits.
    with snakemake_script(), threadpool_limits(1):
        main()
