"""Two cases, spam or not: the ELBO of every q against log p(x), all of it exact."""

from typing import Any

import numpy as np

from elboflow.chapter.jensen import Q_STEPS, jensen_table, posterior
from elboflow.reading.csv_tables import write_table
from elboflow.reading.snakemake_script import snakemake_script

snakemake: Any  # Snakemake puts it into scripts of `script:`


if __name__ == "__main__":
    with snakemake_script():
        # From a bad q over that which knows nothing to the exact one, among evenly spaced others.
        spaced = np.arange(Q_STEPS + 1) / Q_STEPS
        spam = np.unique(np.append(spaced, posterior()[0]))
        write_table(jensen_table(spam), snakemake.output.jensen, decimals=15)
