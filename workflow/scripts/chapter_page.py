"""Write the chapter "What the ELBO is": a page of its own, whose numbers depend on no run."""

from typing import Any

from elboflow.pages.chapter import chapter_page
from elboflow.pages.html import write_page
from elboflow.pages.origin import made_now
from elboflow.reading.snakemake_script import snakemake_script

snakemake: Any  # Snakemake puts it into scripts of `script:`


if __name__ == "__main__":
    with snakemake_script():
        write_page(
            snakemake.output.page,
            chapter_page(snakemake.input, made_now(snakemake.params.configuration)),
        )
