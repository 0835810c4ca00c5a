"""Estimators of a discrete latent's gradient beside the exact one."""

from typing import Any

import numpy as np

from elboflow.chapter.discrete import read_model, worst_image
from elboflow.chapter.gradients import gradient_table
from elboflow.chapter.script import chapter_script
from elboflow.chapter.tables import DECIMALS, DISCRETE
from elboflow.reading.csv_tables import read_table, write_table

snakemake: Any  # Snakemake puts it into scripts of `script:`


if __name__ == "__main__":
    with chapter_script():
        worst = worst_image(read_table(snakemake.input.discrete, DISCRETE))
        image = np.load(snakemake.input.test)[worst].astype(float)
        table = gradient_table(read_model(snakemake.input.switches), image)
        write_table(table, snakemake.output.gradients, DECIMALS)
