"""Examples so small that a reader can work them out again with a calculator."""

from typing import Any

from elboflow.chapter.by_hand import by_hand
from elboflow.reading.csv_tables import write_table
from elboflow.reading.snakemake_script import snakemake_script

snakemake: Any  # Snakemake puts it into scripts of `script:`


if __name__ == "__main__":
    with snakemake_script():
        for name, table in by_hand().items():
            write_table(table, getattr(snakemake.output, name), decimals=12)
