"""Draw, image by image, by how much importance sampling differs from AIS."""

from typing import Any

from elboflow.figures import style
from elboflow.figures.estimators import plot_estimators, read_bounds
from elboflow.reading.snakemake_script import snakemake_script

snakemake: Any  # Snakemake puts it into scripts of `script:`


if __name__ == "__main__":
    with snakemake_script():
        style.save_figure(
            plot_estimators(read_bounds(snakemake.input.bounds)), snakemake.output.figure
        )
