"""Two ways to p(y|x) on real data: learn it, or learn p(x|y) and p(y) and use Bayes' rule."""

from typing import Any

import numpy as np

from elboflow.chapter.classifiers import classifier_tables, tasks
from elboflow.chapter.script import chapter_script
from elboflow.chapter.tables import DECIMALS
from elboflow.reading.csv_tables import write_table

snakemake: Any  # Snakemake puts it into scripts of `script:`


if __name__ == "__main__":
    with chapter_script():
        given, told = snakemake.input, snakemake.params
        posed = tasks(np.load(given.test), given.spambase, told.held_out, told.split_seed)
        for name, table in classifier_tables(posed).items():
            write_table(table, getattr(snakemake.output, name), DECIMALS)
