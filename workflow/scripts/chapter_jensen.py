"""Two cases, spam or not: the ELBO of every q against log p(x), all of it exact."""

from typing import Any

from elboflow.chapter.jensen import every_q, jensen_table
from elboflow.reading.csv_tables import write_table
from elboflow.reading.snakemake_script import snakemake_script

snakemake: Any  # Snakemake puts it into scripts of `script:`


if __name__ == "__main__":
    with snakemake_script():
        write_table(jensen_table(every_q()), snakemake.output.jensen, decimals=15)
