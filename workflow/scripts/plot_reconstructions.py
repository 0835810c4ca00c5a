"""Draw test images, the binary images that the model sees, and every run's reconstructions."""

from typing import Any

from elboflow.figures import style
from elboflow.figures.image_strips import datasets_of_runs, images_of_runs, read_datasets
from elboflow.figures.reconstructions import plot_reconstructions
from elboflow.reading.snakemake_script import snakemake_script

snakemake: Any  # Snakemake puts it into scripts of `script:`


if __name__ == "__main__":
    with snakemake_script():
        figure = plot_reconstructions(
            images=images_of_runs(snakemake.input.images),
            runs=datasets_of_runs(snakemake.input.runs, read_datasets(snakemake.input.manifests)),
        )
        style.save_figure(figure, snakemake.output.figure)
