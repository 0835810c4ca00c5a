"""Write the pages of experiments that are made up, through the code that writes those of real ones:

    python tests/browser/write_pages.py FOLDER RUNS...

Each number of RUNS is an experiment in FOLDER/RUNS, of two seeds a run, with bounds, scores of
other data and the chapter; of more than 50 runs the report alone is written. Needs no training
environment: what is made up is that of the unit tests.
"""

import json
import shutil
import sys
from pathlib import Path
from typing import Any

TESTS = Path(__file__).resolve().parents[1]
FOLDERS = (TESTS.parent / "workflow" / "scripts", TESTS / "unit" / "controller", TESTS)
sys.path[:0] = [str(folder) for folder in FOLDERS]

from test_chapter_page import COLUMNS_OF, STEMS, figure_jobs  # noqa: E402
from test_report import machine_inputs  # noqa: E402
from test_scores import write_scores  # noqa: E402
from test_tables_bounds import write_bounds  # noqa: E402

import conftest as made_up  # noqa: E402  (of the unit tests)
from chapter_tables import write_tables as write_chapter  # noqa: E402
from elboflow.pages.compare import DEFAULT, compare_page  # noqa: E402
from elboflow.pages.html import write_page  # noqa: E402
from elboflow.pages.machine import machine_page  # noqa: E402

OTHER = "other_images"  # data that are scored
MOST = 50  # runs of which all pages are written


def run_names(count: int) -> list[str]:
    """Names as those of a sweep, which are long."""
    return [
        f"latent_{2 ** (1 + place % 6)}_beta_{1 + place // 6}_of_a_sweep" for place in range(count)
    ]


def write_pages(folder: Path, runs: int) -> None:
    """All pages in `folder`/results, which is made anew; the second experiment is a copy."""
    names = run_names(runs)
    made_up.write_results(folder, names)
    write_bounds(folder, names[0])
    write_scores(folder, (names[0],), OTHER)
    copy_dataset(folder / "results" / "data", OTHER)
    alone = runs > MOST
    write_chapter(folder / "results" / "chapter")
    chapter = [] if alone else [*figure_jobs(folder), chapter_job(folder / "results")]
    work = [*chapter, *made_up.jobs(folder)]
    work[-1]["params"]["chapter"] = True  # of the report
    done = made_up.run_scripts(work, cwd=folder)
    if done.returncode:
        sys.exit(done.stderr)
    if alone:
        return
    page = machine_page(made_up.PAGES / "machine.html.jinja", **machine_inputs(folder))
    write_page(folder / "results" / "machine.html", page)
    for values in (folder / "results").glob("runs/*/seed*/per_image.csv"):
        made_up.write(values.with_name("model.json"), json.dumps({"digests": {"data": "0" * 64}}))
    for name in ("runs", "tables"):
        shutil.copytree(folder / "results" / name, folder / "results" / "copy" / name)
    page = compare_page(made_up.PAGES / "compare.html.jinja", folder / "results", [DEFAULT, "copy"])
    write_page(folder / "results" / "compare.html", page)


def copy_dataset(data: Path, name: str) -> None:
    """A data set like the runs' own, of another name."""
    shutil.copytree(data / "tiny", data / name)
    manifest = json.loads((data / name / "manifest.json").read_text(encoding="utf-8"))
    made_up.write(data / name / "manifest.json", json.dumps({**manifest, "dataset": name}))


def chapter_job(results: Path) -> dict[str, Any]:
    """The script that writes the chapter, as its rule calls it."""
    return {
        "script": str(made_up.SCRIPTS / "chapter_page.py"),
        "input": {
            "template": str(made_up.PAGES / "chapter.html.jinja"),
            "tables": [str(results / f"chapter/{name}.csv") for name in COLUMNS_OF],
            "figures": [str(results / f"figures/chapter_{stem}.svg") for stem in STEMS],
            "captions": [str(made_up.PAGES / f"chapter_{stem}.rst") for stem in STEMS],
        },
        "output": {"page": str(results / "chapter.html")},
        "params": {"configuration": None},
    }


if __name__ == "__main__":
    for number in sys.argv[2:]:
        write_pages(Path(sys.argv[1]).resolve() / number, int(number))
