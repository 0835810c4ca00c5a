"""The notebook of examples/, executed on a small model that is trained here."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

REPOSITORY = Path(__file__).parents[2]
NOTEBOOK = REPOSITORY / "examples" / "quickstart.ipynb"


@pytest.fixture
def clone(trained, tmp_path, monkeypatch) -> Path:
    """A folder with the results that the notebook looks for, whose kernel finds the package."""
    run = tmp_path / "clone" / "results" / "runs" / "large_latent"
    run.mkdir(parents=True)
    (run / "seed1").symlink_to(trained.folder)
    data = tmp_path / "clone" / "results" / "data"
    data.mkdir()
    (data / "digits").symlink_to(trained.folder / "data" / "toy")
    (tmp_path / "clone" / "examples").mkdir()
    for variable, value in {
        "PYTHONPATH": REPOSITORY / "workflow" / "scripts",
        "IPYTHONDIR": tmp_path / "ipython",
        "MPLCONFIGDIR": tmp_path / "matplotlib",
        "JUPYTER_RUNTIME_DIR": tmp_path / "jupyter",
    }.items():
        monkeypatch.setenv(variable, str(value))
    return tmp_path / "clone"


def test_every_cell_runs_and_says_what_the_text_promises(clone):
    book = nbformat.read(NOTEBOOK, as_version=4)
    where = {"metadata": {"path": str(clone / "examples")}}
    NotebookClient(book, timeout=120, kernel_name="python3", resources=where).execute()
    said = "".join(
        output.text
        for cell in book.cells
        for output in cell.get("outputs", [])
        if output.output_type == "stream"
    )
    mean, noise = (number_after(said, word) for word in ("mean ", "noise: "))
    assert "± " in said and noise < mean < 0


def number_after(text: str, word: str) -> float:
    return float(text.partition(word)[2].split()[0])


def test_it_is_committed_without_outputs():
    cells = nbformat.read(NOTEBOOK, as_version=4).cells
    assert all(not cell.get("outputs") and not cell.get("execution_count") for cell in cells)
