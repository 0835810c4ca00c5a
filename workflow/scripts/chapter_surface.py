"""The ELBO of one image for every q = N((mu_1, mu_2), sigma^2 I), at the best mu_2."""

from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from elboflow.chapter.mixture import FAMILIES
from elboflow.chapter.surface import surface
from elboflow.chapter.tables import COMPONENTS, DECIMALS
from elboflow.reading.csv_tables import read_table, write_table
from elboflow.reading.snakemake_script import snakemake_script

snakemake: Any  # Snakemake puts it into scripts of `script:`


def main() -> None:
    found = read_table(snakemake.input.components, COMPONENTS)
    with np.load(snakemake.input.grid) as grid:
        image, log_likelihood = int(grid["image"][0]), grid["log_likelihood"][0]
        axis = grid["axis"]
    own = found[(found["image"] == image) & (found["family"] == FAMILIES[0].name)].iloc[0]
    table = surface(log_likelihood, axis, (own["mean_1"], own["mean_2"]))
    table.insert(0, "image", image)
    write_table(table, snakemake.output.surface, DECIMALS)


if __name__ == "__main__":
    # The number of threads can change the last digits.
    with snakemake_script(), threadpool_limits(1):
        main()
