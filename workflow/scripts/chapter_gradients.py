"""Estimators of a discrete latent's gradient beside the exact one."""

from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from elboflow.chapter.discrete import IMAGES, Model
from elboflow.chapter.gradients import gradient_table
from elboflow.chapter.tables import DECIMALS, DISCRETE
from elboflow.reading.csv_tables import read_table, write_table
from elboflow.reading.snakemake_script import snakemake_script

snakemake: Any  # Snakemake puts it into scripts of `script:`


def main() -> None:
    model = Model(**np.load(snakemake.input.switches, allow_pickle=False))
    test = np.load(snakemake.input.test)[:IMAGES].astype(float)
    gaps = read_table(snakemake.input.discrete, DISCRETE)["gap_nats"].to_numpy()
    write_table(gradient_table(model, test[gaps.argmax()]), snakemake.output.gradients, DECIMALS)


if __name__ == "__main__":
    # The number of threads can change the last digits.
    with snakemake_script(), threadpool_limits(1):
        main()
