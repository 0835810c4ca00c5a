"""What the documentation says holds: errors, targets of make, configurations, the version."""

import ast
import importlib.util
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import yaml

from checkout import REPOSITORY
from documentation import PAGES, blocks, commands
from elboflow.specification.check import check

TROUBLE = REPOSITORY / "docs" / "trouble.md"
# Not of the code: what a shell says.
OF_THE_SHELL = ("snakemake: command not found", "No such file or directory")
# What a block that shows a single section leaves out.
DIGITS = {"digits": {"source": "digits", "validation_images": 200, "test_images": 397}}
CONFIGURATIONS = [
    pytest.param(block, id=f"{page.stem}-{number}")
    for page in PAGES
    for number, block in enumerate(blocks(page, "yaml"))
    if {"runs", "sweeps"} & yaml.safe_load(block).keys()  # else it is of another workflow
]


def quoted_lines() -> list[str]:
    """The errors of the first column, as they stand in docs/trouble.md."""
    rows = re.findall(r"^\| (`.*?) \|", TROUBLE.read_text("utf-8"), re.M)
    found = [line for row in rows for line in re.findall("`([^`]+)`", row)]
    return [line for line in found if line not in OF_THE_SHELL]


def texts(path: Path) -> Iterator[str]:
    """What a file can print: the texts of Python, with … for what is filled in; all of others."""
    if path.suffix != ".py":
        yield path.read_text("utf-8")
        return
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.JoinedStr):
            parts = (getattr(part, "value", "") for part in node.values)
            yield "".join(part if isinstance(part, str) else "…" for part in parts)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


@pytest.fixture(scope="module")
def printed() -> str:
    """All that the code can print, and Snakemake's; a line break is as good as a blank."""
    snakemake = importlib.util.find_spec("snakemake")
    assert snakemake is not None and snakemake.origin is not None
    paths = [
        *REPOSITORY.glob("workflow/scripts/**/*.py"),
        *REPOSITORY.glob("workflow/scripts/*.sh"),
        *REPOSITORY.glob("workflow/rules/*.smk"),
        *REPOSITORY.glob("plugins/*/src/**/*.py"),
        *Path(snakemake.origin).parent.rglob("*.py"),
    ]
    found = "\n".join(text for path in paths for text in texts(path))
    return re.sub(r"\s+", " ", found)


@pytest.mark.parametrize("line", quoted_lines())
def test_an_error_that_the_page_explains_is_one_of_the_code(printed: str, line: str) -> None:
    pieces = [piece.strip() for piece in line.split("…")]
    assert [piece for piece in pieces if len(piece) > 3 and piece not in printed] == []


def test_a_line_that_the_code_never_prints_is_found(printed: str) -> None:
    assert "images of another planet" not in printed


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_make_has_the_targets_that_a_page_names(page: Path) -> None:
    targets = re.findall(r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text("utf-8"), re.M)
    inline = re.findall(r"`make\s+([a-z-]+)[^`]*`", page.read_text("utf-8"))
    of_commands = [line.split()[1] for line in commands(page, "make")]
    assert set(inline + of_commands) <= set(targets)


@pytest.mark.parametrize("block", CONFIGURATIONS)
def test_a_configuration_of_a_page_is_accepted(block: str, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    np.save("images.npy", np.zeros((1797, 8, 8), np.uint8))
    config = {"datasets": DIGITS} | yaml.safe_load(block)
    runs = config.get("runs", {})
    own_model = any("model" in run for run in runs.values())
    assert check(config, read_files=not own_model).runs.keys() >= runs.keys()


def test_one_version_everywhere() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]
    citation = yaml.safe_load((REPOSITORY / "CITATION.cff").read_text("utf-8"))
    assert citation["version"] == project["version"]


@pytest.mark.parametrize(
    ("output", "refused"),
    [
        ('<script src="https://example.org/a.js"></script>', True),
        ('<link rel="stylesheet" href="//example.org/a.css">', True),
        ('<img alt="" src=https://example.org/a.png>', True),
        ('<script src="assets/a.js"></script><a href="https://example.org/">there</a>', False),
    ],
)
def test_a_page_of_the_site_that_fetches_from_elsewhere_is_refused(output, refused) -> None:
    exceptions = pytest.importorskip("mkdocs.exceptions", reason="make docs installs it")
    file = REPOSITORY / "docs" / "site_files.py"
    specification = importlib.util.spec_from_file_location("site_files", file)
    hook = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(hook)
    page = SimpleNamespace(file=SimpleNamespace(src_uri="docs/a.md"))
    if not refused:
        assert hook.on_post_page(output, page, None) == output
        return
    with pytest.raises(exceptions.PluginError, match=r"docs/a.md: fetches from elsewhere: .*org/a"):
        hook.on_post_page(output, page, None)
