"""The report of a half-finished experiment, beside the Snakemake that works on it."""

import subprocess
import sys


def files_of(checkout):
    results = checkout.folder / "results"
    return {path: path.stat().st_mtime_ns for path in results.rglob("*") if path.is_file()}


def test_a_report_so_far_says_what_is_missing_and_touches_nothing(finished):
    """Snakemake's lock, which the running one holds, is not asked for."""
    seed = finished.folder / "results/runs/wide/seed1"
    (seed / "summary.csv").unlink()
    locks = finished.folder / ".snakemake/locks"
    locks.mkdir(exist_ok=True)
    (locks / "0.output.lock").write_text("results/report.html\n")
    before = files_of(finished)
    door = [sys.executable, "workflow/scripts/report_so_far.py"]
    said = subprocess.check_output(door, cwd=finished.folder, text=True)
    page = finished.folder / "results/report_so_far.html"
    assert said == f"1 of 2 trainings; open {page} in a browser\n"
    text = page.read_text()
    assert "<h1>ELBOFlow report so far</h1>" in text
    assert "<li>wide, seed 1: waiting for evaluation</li>" in text
    after = files_of(finished)
    assert after.pop(page) and after == before
    assert "so far" not in (finished.folder / "results/report.html").read_text()


def test_without_a_whole_training_there_is_no_report(fresh):
    door = [sys.executable, "workflow/scripts/report_so_far.py"]
    done = subprocess.run(door, cwd=fresh.folder, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "error: no training is measured yet: see `make status`\n"
