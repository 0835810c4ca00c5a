"""Write the card of a trained model, README.md beside its files: deterministic Markdown."""

from pathlib import Path
from typing import Any

from elboflow.pages.html import write_page
from elboflow.pages.model_card import model_card
from elboflow.reading.snakemake_script import snakemake_script

snakemake: Any  # Snakemake puts it into scripts of `script:`


if __name__ == "__main__":
    with snakemake_script():
        given = {name: Path(path) for name, path in snakemake.input.items()}
        write_page(snakemake.output.card, model_card(**given))
