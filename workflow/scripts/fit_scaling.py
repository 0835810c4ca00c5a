"""Put what was measured of scaling in one table, and carry it on by a model of a step."""

import json
from typing import Any

from elboflow.files.whole import write_result
from elboflow.reading.csv_tables import write_table
from elboflow.reading.scaling import fit_scaling, read_records
from elboflow.reading.snakemake_script import snakemake_script

snakemake: Any  # Snakemake puts it into scripts of `script:`


if __name__ == "__main__":
    with snakemake_script():
        table, model = fit_scaling(read_records(snakemake.input.records))
        write_table(table, snakemake.output.scaling)
        write_result(snakemake.output.model, (json.dumps(model, indent=2) + "\n").encode())
