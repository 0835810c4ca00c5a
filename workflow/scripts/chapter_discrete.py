"""A latent of K switches, few enough to be summed out: log p(x) is exact, in training too."""

from typing import Any

import numpy as np

from elboflow.chapter.discrete import example, write_model
from elboflow.chapter.script import chapter_script
from elboflow.reading.csv_tables import write_table

snakemake: Any  # Snakemake puts it into scripts of `script:`


if __name__ == "__main__":
    with chapter_script():
        given = snakemake.input
        model, gaps, states = example(np.load(given.train), np.load(given.test))
        write_model(model, snakemake.output.switches)
        write_table(gaps, snakemake.output.discrete, decimals=12)
        write_table(states, snakemake.output.states, decimals=12)
