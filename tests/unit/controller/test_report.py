"""The two pages: complete, escaped, and the first of them the same bytes everywhere."""

import base64
import hashlib
import json
import re
import shutil
import socket
import subprocess
from collections.abc import Callable
from html import unescape
from pathlib import Path
from tempfile import gettempdir
from typing import Any

import pytest

from elboflow.figures.speed import plot_speed
from elboflow.figures.style import save_figure
from elboflow.pages import machine as machine_report
from elboflow.pages.figure import paragraphs
from elboflow.pages.html import render
from elboflow.pages.settings import FOUND
from elboflow.reading.errors import InputError
from elboflow.reading.notation import number, significant
from elboflow.reading.snakemake_script import snakemake_script
from elboflow.reading.speeds import TRAINING_SPEED, read_speeds
from elboflow.vae.measure import conventions

NUMBERS = (
    *("runs", "summary", "training", "units", "checks", "settings"),
    *("bound_against_k", "comparisons"),
)
PAGES = Path(__file__).parents[3] / "workflow" / "report"
Jobs = Callable[[Path], list[dict[str, Any]]]
Runner = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def build(script_jobs: Jobs, scripts_runner: Runner) -> Callable[[Path], str]:
    """Makes tables, figures and report of a folder; the report without pixels and fonts."""

    def make(folder: Path) -> str:
        done = scripts_runner(script_jobs(folder), cwd=folder)
        assert done.returncode == 0, done.stderr
        html = (folder / "results" / "report.html").read_text(encoding="utf-8")
        return re.sub(r"base64,[A-Za-z0-9+/=]+", "base64,", html)

    return make


@pytest.fixture(scope="module")
def html(
    tmp_path_factory: pytest.TempPathFactory,
    make_results: Callable[..., Path],
    build: Callable[[Path], str],
) -> str:
    """The report of two runs without warnings."""
    return build(make_results(tmp_path_factory.mktemp("report")))


def words(html: str) -> str:
    """What a reader sees, with single spaces."""
    body = html.split("<body>")[1].split("<script>")[0]
    drawn = re.sub(r"<svg.*?</svg>|</?a\b[^>]*>|<wbr>", "", body, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", drawn).split())


def made(folder: Path) -> dict[str, bytes]:
    results = folder / "results"
    paths = [*results.glob("tables/*"), *results.glob("figures/*"), results / "report.html"]
    return {path.name: path.read_bytes() for path in paths}


@pytest.mark.promise(
    "report",
    "the same results give the same bytes",
    "tables, figures and pages in another folder, process, time zone and locale",
)
def test_same_bytes_in_another_folder_process_and_locale(
    finished: Path, tmp_path: Path, script_jobs: Jobs, scripts_runner: Runner
) -> None:
    other = tmp_path / "somewhere" / "else"
    shutil.copytree(finished, other)
    here = scripts_runner(
        script_jobs(finished), cwd=tmp_path, PYTHONHASHSEED="1", LC_ALL="C", TZ="Asia/Tokyo"
    )
    relative = [
        {
            "script": job["script"],
            "input": {key: below(value, other) for key, value in job["input"].items()},
            "output": {key: below(value, other) for key, value in job["output"].items()},
            "params": job["params"],
        }
        for job in script_jobs(other)
    ]
    there = scripts_runner(
        relative,
        cwd=other,
        PYTHONHASHSEED="2",
        LC_ALL="C.UTF-8",
        TZ="UTC",
        PYTHONUTF8="1",
        MPLBACKEND="pdf",
    )
    assert (here.returncode, there.returncode) == (0, 0), here.stderr + there.stderr
    figures = sum(job["script"].endswith("plot.py") for job in script_jobs(finished))
    expected = 2 * figures + 12 + 10
    assert len(made(finished)) == expected, "with digests, but of what no later stage reads"
    assert made(finished) == made(other)


def below(paths: str | list[str], folder: Path) -> str | list[str]:
    """Paths relative to a folder, those outside of it as they are."""
    if isinstance(paths, list):
        return [str(below(path, folder)) for path in paths]
    return paths.removeprefix(f"{folder}/")


def test_headline_has_values_with_all_errors(html: str) -> None:
    seen = words(html)
    assert (
        "alpha \u221220.00 data 0.35 MC 0.025 2 seeds 1 \u221220.03 to \u221219.75 \u221221.00"
        in seen
    )
    assert seen.index("alpha \u221220.00") < seen.index("beta \u221224.00"), "best first"
    # -8 nats on 4 x 4 pixels are 8 / (16 ln 2) bits per pixel.
    assert "noise floor \u22128.00 data 0.25 0.7213 data 0.023" in seen
    assert "mean image \u221240.00 data 0.75 3.6067" in seen
    assert "tiny, 53 test images" in seen


def test_the_best_run_is_compared_with_the_others(html: str) -> None:
    """Per image -21 - (-25) = 4, give or take (25 - 21) / 80 of half of the 52 images each."""
    seen = words(html)
    # The ELBO differs as log p(x) does: both intervals hold or none, as wide as one alone. Either
    # log p(x) may be low by 0.25.
    half = 2.0076 * 0.05 / 51**0.5  # Student's t of 51 degrees of freedom, 95 %
    monte_carlo = (2 * 0.02**2 / 104) ** 0.5
    errors = f"data 0.0070 MC {monte_carlo:.4f} seeds 1"  # both spread by 2 nats: sqrt(1 + 1)
    # By Bonferroni, the 98.75 % point of Student's t of 1 degree of freedom for both.
    wide = 25.452 * 2**0.5
    with_seeds = f"{number(3.75 - wide, 1)} to {number(4.25 + wide, 1)}"
    row = rf"alpha \(tiny, binary images\) beta 4.0000 {errors} (3.\d+) to (4.\d+) {with_seeds}"
    found = re.search(row, seen)
    assert found is not None
    assert [float(end) for end in found.groups()] == pytest.approx(
        [3.75 - half, 4.25 + half], abs=4e-4
    )
    assert "of 2 seeds the true one is 0.45 to 32 times what is shown (95 %)" in seen


def test_published_values_stand_beside_ours_with_what_differs(
    finished: Path, script_jobs: Jobs, scripts_runner: Runner
) -> None:
    jobs = script_jobs(finished)
    for job in jobs:
        if job["script"].endswith("reproduction.py"):
            job["params"]["published"] = {"alpha": "iwae_vae_5"}
    assert scripts_runner(jobs, cwd=finished).returncode == 0
    seen = unescape(words((finished / "results/report.html").read_text()))
    source = "arXiv:1509.00519, Table 1, one stochastic layer, VAE, k = 5"
    # Theirs has no error. Student's t of 1 degree of freedom for two seeds, 2 nats apart.
    half = (12.706**2 * 1 + 1.96**2 * (0.025**2 + 2 * 0.05**2 + 0.35**2 * (1 - 53 / 10000))) ** 0.5
    errors = "seeds 1 MC 0.025 binarisation 0.071 images 0.35"
    interval = f"{number(66.47 - half)} to {number(66.47 + half + 0.25)}"
    row = f"{source} \u221286.47 \u221220.00 2 66.47 {errors} {interval} 12 of 3280"
    assert row in seen
    assert "Settings of alpha that the published recipe has otherwise: adam_beta1 0.9" in seen
    assert "; latent_dim 2, theirs 50; " in seen
    assert "Adam's second moment starts at zero" in seen
    assert "exemplar" not in seen.lower(), "only what is named"


def test_runs_that_observe_other_data_are_apart(
    finished: Path, build: Callable[[Path], str]
) -> None:
    path = finished / "results/runs/beta/run.json"
    path.write_text(path.read_text().replace("bernoulli", "gaussian"))
    for summary in finished.glob("results/runs/beta/*/summary.csv"):
        lines = summary.read_text().splitlines(keepends=True)
        kept = [line for line in lines if not line.startswith(("noise_floor", "bits_per_dim"))]
        summary.write_text("".join(kept))
    seen = words(build(finished))
    assert "Differences between runs" not in seen
    seen = seen[seen.index("Results in full Means over") :]
    binary = seen.index("tiny, 53 test images, binary images noise floor")
    unit = seen.index("tiny, 53 test images, densities of grey levels in [0, 1] beta")
    assert binary < seen.index("alpha \u221220.00") < unit
    assert seen[unit:].count("noise floor \u2212") == 0
    assert "mean image \u221240.00 data 0.75 Each number" in seen, "no bits of a density"


def also_measured(finished: Path, rows: str) -> None:
    """Both seeds of the run beta have these rows in their summaries as well."""
    for seed in (1, 2):
        with (finished / f"results/runs/beta/seed{seed}/summary.csv").open("a") as file:
            file.write(rows)


def test_what_reduced_precision_changes_is_shown(
    finished: Path, build: Callable[[Path], str], html: str
) -> None:
    assert "Precision" not in words(html)
    also_measured(
        finished,
        "elbo_minus_float32,nats per image,-0.0125,0.0004,,53\n"
        "log_likelihood_minus_float32,nats per image,0.002,0.0003,,53\n",
    )
    run = finished / "results/runs/beta/run.json"
    run.write_text(run.read_text().replace("float32", "bf16"))
    seen = words(build(finished))
    assert "beta bf16 \u22120.0125 data 0.00040 2 seeds 0 0.0020 data 0.00030" in seen


def test_without_a_published_name_there_is_no_such_table(html: str) -> None:
    assert "Against published values" not in html


def test_exact_values_are_shown_beside_their_estimates(
    finished: Path, build: Callable[[Path], str], html: str
) -> None:
    assert "Exact log p(x)" not in words(html)
    also_measured(finished, "exact_log_likelihood,nats per image,-22.5,0.4,,53\n")
    seen = words(build(finished))
    assert "Exact log p(x)" in seen
    assert "beta \u221222.5000 data 0.40 2 seeds 0 \u221224.0000 data" in seen


def test_the_rate_is_shown_in_its_parts(html: str) -> None:
    """5 = 3.2 + 1.8 = 4.9 + 0.1, the latter within two errors of 0."""
    seen = words(html)
    errors = "data 0.35 MC 0.014 2 seeds 0"
    rate = f"5.000 data 0.35 2 seeds 0 3.200 {errors} 4.900 {errors} 0.100 {errors} 1.800 {errors}"
    own = f"4.500 data 0.35 MC 0.0071 2 seeds 0 1.500 {errors}"
    assert "Where the rate goes rate = mutual information + marginal KL." in seen
    assert f"alpha {rate} {own} beta {rate}" in seen
    assert "Of no run is it above 0 by more than two standard errors" in seen


@pytest.mark.promise(
    "marginal_kl_lower",
    "holes in the prior are claimed where it is beyond two errors alone, whatever the upper bound",
    "0.1, 0.5 and 0.9, errors 0.35",
)
def test_only_a_marginal_kl_beyond_its_error_is_said_to_miss_the_prior(
    finished: Path, build: Callable[[Path], str]
) -> None:
    """alpha has no parts, as a flow."""
    for value, told in (
        ("0.5", "Of no run is it above 0"),
        ("0.9", "Of beta (0.900) it is above 0 by"),
    ):
        for path in finished.glob("results/runs/*/*/summary.csv"):
            lines = path.read_text().splitlines(keepends=True)
            flow = path.parts[-3] == "alpha"
            kept = [
                re.sub("(?<=marginal_kl_lower,nats per image,)[0-9.]+", value, line)
                for line in lines
                if not (flow and line.startswith(("mutual_information", "marginal_kl")))
            ]
            path.write_text("".join(kept))
        seen = words(build(finished))
        assert told in seen
        assert "alpha 5.000" not in seen
        assert ("q(z) misses the prior" in seen) == (value == "0.9")


def test_active_units_are_counted_by_other_limits_as_well(html: str) -> None:
    assert "2.0 2 seeds 0 at twice the threshold 1.0 at half of it 3.0 above 0.1 nat 1.5" in words(
        html
    )


def test_without_parts_of_the_rate_there_is_no_such_table(
    finished: Path, build: Callable[[Path], str]
) -> None:
    for path in finished.glob("results/runs/*/*/summary.csv"):
        text = path.read_text()
        path.write_text(re.sub(r"(?m)^(mutual_information|marginal_kl).*\n", "", text))
    html = build(finished)
    assert "Where the rate goes" not in html
    assert "<dt>marginal KL</dt>" not in html


def test_made_images_against_real_ones_have_a_statement(html: str) -> None:
    (row,) = set(re.findall(r"<tr><th[^>]*>samples</th>.*?</tr>", html, re.DOTALL))
    assert re.findall(r"<b>(.*?)</b>", row) == [
        "0.900",
        "0.200",
        "0.490",
        "0.3000",
        "0.510",
        "0.500",
    ]
    assert ">sd 0.070</span>" in row and "too spread or too noisy: " in row
    assert "<dt>divergence, at least</dt>" in html


def test_settings_that_differ_are_shown(html: str) -> None:
    seen = words(html)
    assert "Settings that differ between the runs. run beta alpha 1.0 beta 1.2" in seen
    assert "settings that all runs share key value" in seen
    assert "encoder_layers [8]" in seen


def test_data_section_names_origin_licence_and_digests(html: str) -> None:
    seen = words(html)
    assert "Origin: made up. Licence: none &amp; void. Images of 4 × 4 pixels" in seen  # noqa: RUF001
    assert f"train.npy 300 {300:064x}" in seen
    assert "Seed of the split: 3; seed of the binarisation: 4." in seen


def test_warnings_come_first(finished: Path, build: Callable[[Path], str]) -> None:
    path = finished / "results/runs/beta/seed2/checks.csv"
    detail = "k-means: -0.5 nats, 1e-5"
    path.write_text(f'check,status,detail\nnot_collapsed,warning,"{detail}"\n')
    seen = words(build(finished))
    told = "k-means: −0.5 nats, 1e-5"  # noqa: RUF001
    warning = f"1 warning beta, seed 2: collapsed, or nearly so : {told}"
    assert 0 < seen.index(warning) < seen.index("A variational autoencoder")
    assert "checks passed" not in seen


def test_images_that_splits_share_are_a_warning(
    finished: Path, build: Callable[[Path], str]
) -> None:
    path = finished / "results/data/tiny/manifest.json"
    counts = {"test_in_train": 3, "within_train": 7}
    path.write_text(
        json.dumps({**json.loads(path.read_text()), "duplicates": counts, "highest_level": 7})
    )
    seen = words(build(finished))
    shared = "3 of 53 test images are training images as well"
    repeated = "7 of 300 training images repeat another one of them"
    assert f"1 warning Data set tiny: shared images : {shared}" in seen
    assert f"Images of which every pixel is the same: {shared}; {repeated}." in seen
    assert "No value is above 7 of " in seen
    assert "checks passed" not in seen


def test_without_warnings_it_says_so(html: str) -> None:
    assert "All 4 checks passed." in words(html)


def test_a_hostile_run_name_is_text(
    tmp_path: Path, make_results: Callable[..., Path], build: Callable[[Path], str]
) -> None:
    name = "<img src=x onerror=alert(1)>\"'{{ 7 * 7 }}$"
    html = build(make_results(tmp_path, runs=[name, "tame"], seeds=[1]))
    assert "<img src=x" not in html
    assert "&lt;img src=x onerror=alert(1)&gt;&#34;&#39;{{ 7 * 7 }}$" in html


def test_no_clock_no_host_no_path(html: str) -> None:
    assert not re.search(r"\b20\d\d-\d\d-\d\d|\b\d\d:\d\d(:\d\d)?\b", html)
    assert gettempdir() not in html
    assert str(PAGES.parents[1]) not in html
    assert "node" not in words(html)
    assert not re.search(rf"\b{re.escape(socket.gethostname())}\b", words(html))


def test_nothing_is_loaded_and_ids_are_unique(html: str) -> None:
    assert 'src="' not in html
    assert set(re.findall(r'url\("?([^")#]{5})', html)) == {"data:"}
    links = re.findall(r'href="([^"]*)"', html)
    papers = "https://arxiv.org/abs/"
    outside = {link for link in links if not link.startswith(("#", "data:", papers))}
    assert outside == {"machine.html", *(f"tables/{name}.csv" for name in NUMBERS)}
    ids = re.findall(r'\bid="([^"]*)"', html)
    assert len(ids) == len(set(ids))
    used = [link for link in links if link.startswith("#")] + re.findall(r"url\((#[^)]*)\)", html)
    assert all(f'id="{link[1:]}"' in html for link in used)
    assert html.count('role="img"') == html.count("<svg ") >= 7
    assert all(
        0 < len(label) < 120 for label in re.findall(r'role="img" aria-label="([^"]*)"', html)
    )
    assert '<html lang="en">' in html


def test_the_policy_allows_the_style_and_the_script_of_the_page_alone(
    finished: Path, build: Callable[[Path], str]
) -> None:
    build(finished)
    html = (finished / "results/report.html").read_text(encoding="utf-8")
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', html)
    rules = dict(rule.strip().split(" ", 1) for rule in unescape(policy).split(";"))
    for element in ("style", "script"):
        (text,) = re.findall(rf"<{element}>(.*?)</{element}>", html, flags=re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert rules[f"{element}-src"] == f"'sha256-{digest}'"
    assert rules["default-src"] == "'none'"
    assert ' style="' not in html, "which the policy forbids"


@pytest.mark.parametrize("caption", sorted(PAGES.glob("*.rst")), ids=lambda path: path.stem)
def test_captions_read_the_same_as_text_and_as_rst(caption: Path) -> None:
    docutils = pytest.importorskip("docutils.core")
    filled = paragraphs(caption, runs=3, trainings=6)
    assert not any("{{" in text or "``" in text for text in filled)
    body = docutils.publish_parts(
        "\n\n".join(filled), writer="html5", settings_overrides={"halt_level": 2}
    )["body"]
    seen = unescape(re.sub(r"<[^>]+>", "", body))
    assert seen.split() == " ".join(filled).split()


def test_how_to_regenerate_is_said_for_every_configuration(html: str) -> None:
    seen = words(html)
    assert "make report writes the report of the default configuration" in seen
    assert "snakemake --profile profiles/local --configfile FILE" in seen


def test_a_full_disk_ends_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end, snakemake_script():
        raise OSError(28, "No space left on device", "report.html")
    assert end.value.code == (
        "error: no space left on device: report.html; make room on that disk and start again"
    )


def test_a_manifest_without_licence_is_refused(
    finished: Path, script_jobs: Jobs, scripts_runner: Runner
) -> None:
    path = finished / "results/data/tiny/manifest.json"
    path.write_text(path.read_text().replace("licence", "license"))
    done = scripts_runner(script_jobs(finished), cwd=finished)
    assert done.stderr == f"error: {path}: no key 'licence'; delete the file and run again\n"


@pytest.mark.parametrize(
    ("error", "shown"),
    [(0.0, "0"), (0.3, "0.30"), (0.0999, "0.10"), (1.414, "1.4"), (123.4, "120"), (3e-8, "3e-08")],
)
def test_errors_have_two_significant_digits(error: float, shown: str) -> None:
    assert significant(error) == shown


def test_numbers_have_a_minus_sign_and_no_negative_zero() -> None:
    assert number(-19.126) == "\u221219.13"
    assert number(-0.001) == "0.00"


def machine_inputs(folder: Path) -> dict[str, Any]:
    results = folder / "results"
    trainings = sorted(results.glob("machine/train/*/*.json"), reverse=True)
    drawn = results / "machine" / "speed.svg"
    save_figure(plot_speed(read_speeds(trainings, TRAINING_SPEED)), drawn)
    return {
        "figures": [drawn],
        "captions": [PAGES / "speed.rst"],
        "ranks": results / "machine/smoke_test/ranks.csv",
        "allreduce": results / "machine/smoke_test/allreduce.csv",
        "train": trainings,
        "evaluate": sorted(results.glob("machine/evaluate/*/*.json")),
        "ais_bounds": [],
        "build": results / "environment/build.json",
        "packages": results / "environment/packages.txt",
    }


def test_machine_report_shows_ranks_speed_and_versions(finished: Path) -> None:
    html = render(
        PAGES / "machine.html.jinja",
        written="now",
        commit=None,
        snakemake_version="9",
        **machine_report.machine_context(**machine_inputs(finished)),
    )
    seen = words(html)
    assert "commit not in a git checkout" in seen
    assert "alpha 1 – 31.5 2 1 node&lt;7&gt; cpu went on at step 36 of 36" in seen  # noqa: RUF001
    assert "alpha 1 8123 31.5" in seen
    assert seen.index("0 of 2") < seen.index("1 of 2"), "ranks in order"
    assert "1024 12.5 0.080" in seen
    assert "controllers MPI, Gloo" in seen
    assert "cuda none" in seen
    assert "torch==2.13.0" in seen


@pytest.mark.parametrize("is_on_a_cluster", [True, False])
def test_machine_report_shows_what_was_used_on_a_cluster(
    finished: Path, is_on_a_cluster: bool
) -> None:
    used = finished / "used.csv"
    if is_on_a_cluster:
        used.write_text(
            "title,queue,nodes,share,seconds_asked,seconds_used,efficiency\n"
            "train <b> seed=1,rt_HG,1,0.125,3600,1800,0.5\n"
        )
    context = machine_report.machine_context(**machine_inputs(finished), used=used)
    told = {"written": "now", "commit": None, "snakemake_version": "9"}
    html = render(PAGES / "machine.html.jinja", **told, **context)
    assert ("train rt_HG 1 1.000 0.500 0.062 50.0 –" in words(html)) == is_on_a_cluster  # noqa: RUF001
    assert ("Used and charged" in html) == is_on_a_cluster


def test_cost_is_wall_time_on_all_cores_and_hosts() -> None:
    record = {"seconds": 900.0, "job_seconds": 1800.0}
    record |= {"ranks": 4, "threads_per_rank": 2, "hosts": ["a", "b"]}
    by_hand = {**record, "job_seconds": None}
    unknown = {**by_hand, "seconds": None}
    cost = machine_report.cost_of([record, by_hand, unknown])
    assert cost == {
        "jobs": 3,
        "minutes": 45.0,
        "computing": pytest.approx(2 / 3),
        "core_hours": 6.0,
        "node_hours": 1.5,
    }


def test_machine_report_refuses_a_cut_file(finished: Path) -> None:
    inputs = machine_inputs(finished)
    inputs["evaluate"][0].write_text("{")
    with pytest.raises(InputError, match=r"seed1\.json: not JSON"):
        machine_report.machine_context(**inputs)


@pytest.mark.parametrize(
    ("key", "value"),
    [("hosts", 5), ("seed", "1"), ("images_per_second", "fast"), ("run", ["a"])],
)
def test_machine_report_refuses_a_damaged_file(finished: Path, key: str, value: Any) -> None:
    inputs = machine_inputs(finished)
    path = inputs["train"][0]
    path.write_text(json.dumps({**json.loads(path.read_text()), key: value}))
    with pytest.raises(InputError, match=rf"{path.name}: '{key}' cannot be "):
        machine_report.machine_context(**inputs)


def test_commit_is_optional(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert machine_report.git_commit(tmp_path) is None
    monkeypatch.setenv("PATH", "")
    assert machine_report.git_commit(PAGES) is None


def test_every_check_that_may_warn_says_what_it_found():
    source = Path(conventions.__file__).with_name("checks.py").read_text()
    may_warn = re.findall(r'"([a-z_]+)", (?:status|"warning")', source)
    assert set(may_warn) == set(FOUND)
