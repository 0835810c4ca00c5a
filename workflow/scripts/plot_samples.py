"""Draw what every run generates: decoder means at draws from the prior."""

from typing import Any

from elboflow.figures import style
from elboflow.figures.image_strips import datasets_of_runs, images_of_runs, read_datasets
from elboflow.figures.samples import plot_samples
from elboflow.reading.snakemake_script import snakemake_script

snakemake: Any  # Snakemake puts it into scripts of `script:`


if __name__ == "__main__":
    with snakemake_script():
        figure = plot_samples(
            images=images_of_runs(snakemake.input.images),
            runs=datasets_of_runs(snakemake.input.runs, read_datasets(snakemake.input.manifests)),
        )
        style.save_figure(figure, snakemake.output.figure)
