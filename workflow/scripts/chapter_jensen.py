"""Two cases, spam or not: the ELBO of every q against log p(x), all of it exact."""

from typing import Any

import numpy as np

from elboflow.chapter.jensen import STEPS, bounds, posterior
from elboflow.chapter.tables import write
from elboflow.reading.result_files import in_one_line

snakemake: Any  # Snakemake puts it into scripts of `script:`


if __name__ == "__main__":
    with in_one_line():
        # From a bad q over that which knows nothing to the exact one, among evenly spaced others.
        spaced = np.arange(STEPS + 1) / STEPS
        spam = np.unique(np.append(spaced, posterior()[0]))
        write(bounds(spam), snakemake.output.jensen, decimals=15)
