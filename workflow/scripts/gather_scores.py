"""What other data sets score under the models of runs, beside the runs' own test images."""

from typing import Any

from elboflow.reading.columns import SETTINGS
from elboflow.reading.csv_tables import read_table, write_table
from elboflow.reading.json_files import read_manifest_json
from elboflow.reading.snakemake_script import snakemake_script
from elboflow.reading.tables import means_over_seeds
from elboflow.reading.tables_scores import scores_of_runs

snakemake: Any  # Snakemake puts it into scripts of `script:`


if __name__ == "__main__":
    with snakemake_script():
        scores = scores_of_runs(
            snakemake.input.scores,
            snakemake.input.per_image,
            settings=read_table(snakemake.input.settings, SETTINGS),
            manifests=[read_manifest_json(path) for path in snakemake.input.manifests],
        )
        write_table(scores, snakemake.output.scores)
        write_table(means_over_seeds(scores, of=("run", "dataset")), snakemake.output.summary)
