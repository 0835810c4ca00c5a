"""A pytest plugin: which faults were tried, by how many cases, and what came out.

    PYTHONPATH=tests python -m pytest -p fault_table -m fault …

A test names its fault in a marker: `@pytest.mark.fault("what was done", outcome="what happens")`.
The table is printed at the end, in Markdown; runs of several interpreters add to one table.
"""

import json
from collections import defaultdict
from pathlib import Path

import pytest

RECORD = Path(__file__).parents[1] / ".test-environment" / "faults.json"
RINGS = {"unit": "function", "process": "ranks under mpirun", "workflow": "Snakemake"}


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
        terminalreporter.write_line("\n" + markdown(rows))


def ring(path: Path) -> str:
    """How a test tries its fault, by the folder that it lies in."""
    if "snakemake-executor-plugin-qsub" in path.parts:
        return "executor"
    return next((told for part, told in RINGS.items() if part in path.parts), "cluster")


def markdown(rows: list) -> str:
    """The table: a row for each fault, with how many of its cases ended as they should."""
    lines = ["| fault | how tried | cases | outcome |", "|---|---|---|---|"]
    for fault, outcome, how, results in sorted(rows):
        passed = results.count("passed")
        told = (
            outcome
            if passed == len(results)
            else f"**not so in {len(results) - passed}**: {outcome}"
        )
        lines.append(f"| {fault} | {how} | {passed} of {len(results)} | {told} |")
    return "\n".join(lines)


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(FaultTable())
