"""A pytest plugin: which faults were tried, by how many cases, and what came out.

    PYTHONPATH=tests python -m pytest -p fault_table -m fault …

A test names its fault in a marker: `@pytest.mark.fault("what was done", outcome="what happens")`.
The table is FAULTS.md beside this file; runs of several interpreters add to one table.
"""

import json
from collections import defaultdict
from pathlib import Path

import pytest

RECORD = Path(__file__).parents[1] / ".test-environment" / "faults.json"
TABLE = Path(__file__).with_name("FAULTS.md")
TITLE = "# What goes wrong, tried\n\nWritten by `make test-faults`.\n\n"
# How a test tries its fault, by the file or folder that it lies in.
RINGS = {
    "test_executor.py": "Snakemake with stand-ins for qsub and qstat",
    "test_pbs_stand_in.py": "Snakemake with a stand-in for PBS",
    "snakemake-executor-plugin-qsub": "parts of the executor",
    "process": "ranks under mpirun",
    "workflow": "Snakemake",
    "unit": "a part of the program",
}


class FaultTable:
    """Counts cases by fault, ring and outcome."""

    def __init__(self) -> None:
        self.cases: dict[tuple[str, str, str], list[str]] = defaultdict(list)

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item):
        report = (yield).get_result()
        marker = item.get_closest_marker("fault")
        if marker and (report.when == "call" or report.outcome != "passed"):
            key = (marker.args[0], marker.kwargs["outcome"], ring(item.path))
            self.cases[key].append(report.outcome)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        known = json.loads(RECORD.read_text()) if RECORD.exists() else []
        rows = known + [[*key, outcomes] for key, outcomes in self.cases.items()]
        RECORD.write_text(json.dumps(rows))
        TABLE.write_text(TITLE + markdown(rows) + "\n")
        cases = sum(len(outcomes) for *_, outcomes in rows)
        passed = sum(outcomes.count("passed") for *_, outcomes in rows)
        terminalreporter.write_line(
            f"{passed} of {cases} cases of {len(rows)} faults so far ended as they should: {TABLE}"
        )


def ring(path: Path) -> str:
    return next(told for part, told in RINGS.items() if part in path.parts)


def markdown(rows: list) -> str:
    """The table: a row for each fault, with how many of its cases ended as they should."""
    lines = ["| fault | how tried | cases | outcome |", "|---|---|---|---|"]
    for fault, outcome, how, results in sorted(rows, key=lambda row: (row[2], row[0])):
        tried, passed = len(results) - results.count("skipped"), results.count("passed")
        told = outcome if passed == tried else f"**not in all of them**: {outcome}"
        cells = [fault, how, f"{passed} of {tried}" if tried else "not here", told]
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines)


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(FaultTable())
