"""How the software is cited, from its CITATION.cff."""

from pathlib import Path

import yaml

BIBTEX = """@software{{elboflow,
  author  = {{{{{authors}}}}},
  title   = {{{title}}},
  version = {{{version}}},
  license = {{{license}}},
}}"""


def citation(path: str | Path) -> dict[str, str]:
    """Authors, title, version and licence, and all of them as an entry of BibTeX."""
    told = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    facts = {key: str(told[key]) for key in ("title", "version", "license")}
    facts["authors"] = " and ".join(_name(author) for author in told["authors"])
    return {**facts, "bibtex": BIBTEX.format(**facts)}


def _name(author: dict[str, str]) -> str:
    """Of a person or of a group."""
    return author.get("name") or f"{author['given-names']} {author['family-names']}"
