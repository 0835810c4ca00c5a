"""Estimators of a discrete latent's gradient beside the exact one."""

from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from elboflow.chapter.discrete import IMAGES, Model
from elboflow.chapter.gradients import table
from elboflow.chapter.tables import DISCRETE, write
from elboflow.reading.result_files import in_one_line, read_table

snakemake: Any  # Snakemake puts it into scripts of `script:`


def main() -> None:
    model = Model(**np.load(snakemake.input.switches, allow_pickle=False))
    test = np.load(snakemake.input.test)[:IMAGES].astype(float)
    gaps = read_table(snakemake.input.discrete, DISCRETE)["gap_nats"].to_numpy()
    write(table(model, test[gaps.argmax()]), snakemake.output.gradients)


if __name__ == "__main__":
    # The number of threads can change the last digits.
    with in_one_line(), threadpool_limits(1):
        main()
