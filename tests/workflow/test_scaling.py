"""The section `scaling` from the configuration to the machine report."""

import csv
import re

import pytest

from checkout import submit_lines


@pytest.fixture
def scaled(tiny):
    return {**tiny(), "scaling": {"run": "plain", "ranks": [1, 2, 4], "steps": 2}}


def test_nothing_of_it_without_the_section(fresh, tiny):
    fresh.configure(tiny())
    assert not any("scaling" in rule for rule in fresh.planned())


def test_alone_it_trains_no_run(fresh, scaled):
    fresh.configure(scaled)
    plan = fresh.planned("scaling")
    assert plan["measure_scaling"] == 3
    assert not {"train", "evaluate", "machine_report"} & plan.keys()


def test_ranks_become_nodes_of_a_profile(fresh, tiny):
    section = {"run": "plain", "ranks": [4, 8, 32]}
    fresh.configure({**tiny(), "scaling": section, "tasks_per_node": 8})
    plan = ("--profile", "abci", "--executor", "qsub-plan", "scaling")
    lines = submit_lines(fresh.snakemake(*plan, ABCI_GROUP="g").stdout)
    asked = {
        name: re.search(r"-q (\S+) -l select=(\d+):mpiprocs=(\d+) -l walltime=(\S+)", line).groups()
        for name, line in lines.items()
        if name.startswith("measure_scaling")
    }
    assert asked == {
        "measure_scaling ranks=4": ("rt_HF", "1", "4", "00:30:00"),
        "measure_scaling ranks=8": ("rt_HF", "1", "8", "00:30:00"),
        "measure_scaling ranks=32": ("rt_HF", "4", "8", "00:30:00"),
    }


def test_it_is_on_the_machine_report_and_changes_no_other_page(finished, scaled):
    """But for the digest of the configuration that the others name."""
    report = (finished.folder / "results/report.html").read_text()
    finished.configure(scaled)
    plan = finished.planned()
    assert plan.keys() & {"train", "evaluate"} == set()
    finished.run()
    html = (finished.folder / "results/machine.html").read_text()
    assert '<h2 id="scaling">' in html
    digest = re.compile(r"\b[0-9a-f]{64}\b|\b[0-9a-f]{12,16}\b")
    after = (finished.folder / "results/report.html").read_text()
    assert digest.sub("", after) == digest.sub("", report)
    with (finished.folder / "results/machine/scaling/scaling.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["kind"], row["ranks"]) for row in rows if row["source"] != "model"] == [
        (kind, ranks) for kind in ("strong", "weak") for ranks in ("1", "2", "4")
    ]
