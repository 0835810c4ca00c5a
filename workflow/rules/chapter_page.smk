"""
Write the chapter "What the ELBO is" as a page of its own, beside the report.

INPUTS:

    tables  = <experiment>/chapter/*.csv
    figures = <experiment>/figures/chapter_*.svg

OUTPUTS:

    page = <experiment>/chapter.html   (one file, the same bytes on every machine of a kind)
"""

CHAPTER_TABLES = [
    *BY_HAND,
    "jensen",
    *["classifiers", "reliability", "evidence", "posteriors", "components"],
    *["discrete", "gradients"],
]
CHAPTER_PARTS = ["macros", "likelihood", "bound", "latents", "detail"]
CHAPTER_PAGE = ["<experiment>/chapter.html"] if SHOWN else []


rule chapter_page:
    """Put the derivation, its numbers and its figures on one page."""
    input:
        template=f"{PAGES}/chapter.html.jinja",
        parts=[f"{PAGES}/chapter/{name}.html.jinja" for name in CHAPTER_PARTS],
        frame=FRAME,
        tables=[f"<experiment>/chapter/{name}.csv" for name in CHAPTER_TABLES],
        figures=[f"<experiment>/figures/chapter_{name}.svg" for name in CHAPTER_FIGURES],
        captions=[f"{PAGES}/chapter_{name}.rst" for name in CHAPTER_FIGURES],
    output:
        page="<experiment>/chapter.html",
    localrule: True
    params:
        configuration=CONFIGURATION,
    script:
        "../scripts/chapter_page.py"
