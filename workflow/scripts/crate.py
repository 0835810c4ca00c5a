"""Pack a finished run into an RO-Crate."""

from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from elboflow.pages.crate import write_crate
from elboflow.reading.errors import InputError
from elboflow.reading.snakemake_script import snakemake_script

snakemake: Any  # Snakemake puts it into scripts of `script:`


if __name__ == "__main__":
    with snakemake_script():
        checkout = Path(snakemake.params.checkout)
        if find_spec("rocrate") is None:
            raise InputError(
                "rocrate is not installed: `make crate` does it, or "
                f"pip install -r {checkout / 'requirements-crate.txt'}"
            )
        given = snakemake.input
        inputs = [*given.configurations, *given.specifications, *given.manifests]
        write_crate(
            Path(snakemake.output.crate),
            checkout,
            Path(given.build).parents[1],
            inputs=map(Path, [*inputs, *given.models_of_ones_own]),
            outputs=map(Path, [*given.pages, *given.tables, *given.figures, *given.models]),
            build=Path(given.build),
            snakemake_version=version("snakemake"),
        )
