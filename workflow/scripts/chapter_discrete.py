"""A latent of K switches, few enough to be summed out: log p(x) is exact, in training too."""

import io
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from elboflow.chapter.discrete import (
    IMAGES,
    LEVELS,
    fit,
    gap_table,
    log_mean_field,
    mean_field,
    states_of,
)
from elboflow.files.whole import write_result
from elboflow.images.binarise import binarise_split
from elboflow.reading.csv_tables import write_table
from elboflow.reading.snakemake_script import snakemake_script

snakemake: Any  # Snakemake puts it into scripts of `script:`


def main() -> None:
    train = binarise_split(np.load(snakemake.input.train), LEVELS, 0, "train").astype(float)
    test = np.load(snakemake.input.test)[:IMAGES].astype(float)
    model = fit(train)
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **vars(model))
    write_result(snakemake.output.switches, buffer.getvalue())
    joint, states = model.log_joint(test), model.states
    log_q = log_mean_field(mean_field(joint, states), states)
    table = gap_table(joint, log_q)
    worst = int(table["gap_nats"].to_numpy().argmax())
    write_table(table, snakemake.output.discrete, decimals=12)
    write_table(states_of(worst, joint[worst], log_q[worst], states), snakemake.output.states, 12)


if __name__ == "__main__":
    # The number of threads can change the last digits.
    with snakemake_script(), threadpool_limits(1):
        main()
