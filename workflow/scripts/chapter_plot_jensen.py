"""Draw Jensen's inequality in the two-case example, and the ELBO of every q."""

from typing import Any

from elboflow.chapter.plot_jensen import plot_jensen
from elboflow.chapter.tables import JENSEN
from elboflow.figures import style
from elboflow.reading.csv_tables import read_table
from elboflow.reading.snakemake_script import snakemake_script

snakemake: Any  # Snakemake puts it into scripts of `script:`


if __name__ == "__main__":
    with snakemake_script():
        style.save_figure(
            plot_jensen(read_table(snakemake.input.jensen, JENSEN)), snakemake.output.figure
        )
