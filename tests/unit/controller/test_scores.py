"""Other data under a run's model: section of the configuration, tables, figure and report."""

import math
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from elboflow.figures.scores import draw_panel, plot_scores
from elboflow.pages.scores import scores_table
from elboflow.reading.auroc import auroc
from elboflow.reading.errors import InputError
from elboflow.reading.tables import gather_settings, means_over_seeds
from elboflow.reading.tables_scores import scores_of_runs
from elboflow.specification.check import check
from elboflow.specification.resolve import specification
from elboflow.specification.yaml_readings import ConfigError

HEADER = (
    "image,elbo_nats,elbo_monte_carlo_error_nats,log_likelihood_nats,"
    "log_likelihood_monte_carlo_error_nats,ess,pareto_k,log_likelihood_at_half_nats"
)
LOG_P = [-30.0, -10.0, -21.0, -5.0]
MANIFEST = {"dataset": "other", "image_shape": [4, 4]}


def write_scores(folder: Path, runs: tuple[str, ...] = ("alpha",), name: str = "other") -> None:
    for run in runs:
        for seed in (1, 2):
            path = folder / f"results/runs/{run}/seed{seed}/scores/{name}.csv"
            path.parent.mkdir(exist_ok=True)
            rows = [
                f"{image},{value - 1},0.1,{value},0.3,50,inf,{value - 0.5}"
                for image, value in enumerate(LOG_P)
            ]
            path.write_text("\n".join([HEADER, *rows]) + "\n")


def tables(folder: Path):
    """The table of scores, from what is in a folder."""
    paths = sorted(folder.glob("results/runs/*/seed*/scores/*.csv"))
    own = sorted({path.parents[1] / "per_image.csv" for path in paths})
    told = gather_settings(sorted(folder.glob("results/runs/*/run.json")))
    return scores_of_runs(paths, own, told, [MANIFEST])


@pytest.mark.promise(
    "rise_from_half, above_own_median",
    "means over the images of another data set",
    "against the formulas",
)
def test_means_over_images_beside_the_runs_own(finished: Path) -> None:
    write_scores(finished)
    table = tables(finished)
    assert set(table["run"]) == {"alpha"}
    rows = table.set_index(["seed", "dataset", "quantity"]).loc[1]
    own, other = rows.loc["tiny"], rows.loc["other"]
    assert own.loc["log_likelihood", "value"] == pytest.approx(-19)  # of write_per_image
    assert other.loc["log_likelihood", "value"] == -16.5
    assert other.loc["log_likelihood", "data_error"] == pytest.approx(np.std(LOG_P, ddof=1) / 2)
    assert other.loc["log_likelihood", "monte_carlo_error"] == pytest.approx(0.3 / 2)
    bits = 16.5 / 16 / math.log(2)
    assert other.loc["bits_per_dim", "value"] == pytest.approx(bits)
    assert other.loc["rise_from_half", "value"] == 0.5
    assert other.loc["above_own_median", "value"] == 0.5
    assert other.loc["auroc", "value"] == 0.4375
    assert set(own.index) == {"log_likelihood", "bits_per_dim"}
    summary = means_over_seeds(table, of=("run", "dataset"))
    seeds = summary.set_index(["dataset", "quantity"])["seeds"]
    assert set(seeds) == {2} and len(seeds) == len(table) / 2


def test_of_a_model_without_latents_log_p_is_exact(finished: Path) -> None:
    write_scores(finished)
    for path in finished.glob("results/runs/alpha/seed*/scores/other.csv"):
        rows = [f"{image},{value}" for image, value in enumerate(LOG_P)]
        path.write_text("\n".join(["image,log_likelihood_nats", *rows]) + "\n")
    table = tables(finished)
    other = table[table["dataset"] == "other"].set_index(["seed", "quantity"]).loc[1]
    assert other.loc["log_likelihood", "value"] == -16.5
    assert np.isnan(other.loc["log_likelihood", "monte_carlo_error"])
    assert not {"ess", "rise_from_half"} & set(other.index)
    (run,) = scores_table(means_over_seeds(table, of=("run", "dataset")), {"alpha": "tiny"})["runs"]
    own, shown = run["rows"]
    assert [cell and cell["mean"] for cell in shown["cells"]][1] == "\N{EN DASH}"
    assert own["cells"][1] is None and shown["cells"][-1]["mean"] == "0.406"


def test_a_density_has_no_bits(finished: Path) -> None:
    write_scores(finished)
    path = finished / "results/runs/alpha/run.json"
    path.write_text(path.read_text().replace('"bernoulli"', '"gaussian"'))
    assert "bits_per_dim" not in set(tables(finished)["quantity"])


@pytest.mark.parametrize("harm", ["nan", "", "x"])
def test_a_damaged_table_is_refused(finished: Path, harm: str) -> None:
    write_scores(finished)
    path = finished / "results/runs/alpha/seed1/scores/other.csv"
    path.write_text(path.read_text().replace("-21.0", harm))
    with pytest.raises(InputError, match="log_likelihood_nats"):
        tables(finished)


def test_the_report_has_the_table_of_runs_that_are_scored(
    finished: Path,
    script_jobs: Callable[[Path], list[dict[str, Any]]],
    scripts_runner: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    pages = []
    for ask in (False, True, False):
        if ask:
            write_scores(finished)
            shutil.copytree(finished / "results/data/tiny", finished / "results/data/other")
            manifest = finished / "results/data/other/manifest.json"
            manifest.write_text(manifest.read_text().replace('"tiny"', '"other"'))
        done = scripts_runner(script_jobs(finished), cwd=finished)
        assert done.returncode == 0, done.stderr
        pages.append((finished / "results/report.html").read_text(encoding="utf-8"))
        assert ("Other data under the models" in pages[-1]) == ask
        assert ('<h3 id="scores">' in pages[-1]) == ask
        if ask:
            shutil.rmtree(finished / "results/data/other")
            for folder in finished.glob("results/runs/*/seed*/scores"):
                shutil.rmtree(folder)
    assert pages[0] == pages[2]
    section = pages[1].split('<h2 id="other-data">')[1].split("</section>")[0]
    rows = re.findall(r'<th scope="row">([^<]+)</th>\s*<td class="number"><b>([^<]+)', section)
    minus = "\N{MINUS SIGN}"
    assert rows == [("tiny, its own", f"{minus}20.00"), ("other", f"{minus}16.50")]
    assert "<b>0.5" in section and "95 %: 0." in section
    assert "log p(x) alone detects nothing" in section


def test_the_figure_fills_the_own_images_and_outlines_others() -> None:
    random = np.random.default_rng(0)
    own, other = random.normal(-20, 2, 500), random.normal(-10, 1, 300)
    figure = plot_scores({"alpha": {"tiny": own, "other": other}, "beta": {"tiny": own, "x": own}})
    axes = figure.axes[0]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == [
        "tiny (its own)",
        "other",
    ]
    filled, outline = axes.patches
    assert filled.get_fill() and not outline.get_fill()
    (median,) = axes.get_lines()
    assert median.get_xdata()[0] == pytest.approx(np.median(own))
    assert len(figure.axes) == 2


def test_the_figure_is_drawn_of_values_that_are_all_equal() -> None:
    figure = plot_scores({"alpha": {"tiny": np.full(5, -3.0), "other": np.full(2, -3.0)}})
    draw_panel(figure.axes[0], {"tiny": np.array([1.0, 2.0])}, {})


def samples() -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Pairs of samples of small integers, so that some are equal, or all, or none."""
    random = np.random.default_rng(0)
    for _ in range(300):
        sizes, shift = random.integers(2, 12, 2), random.integers(-6, 7)
        yield random.integers(-3, 4, sizes[0]) + shift, random.integers(-3, 4, sizes[1])


def test_the_area_is_that_of_all_pairs() -> None:
    for ours, others in samples():
        above = (ours[:, None] > others).mean() + (ours[:, None] == others).mean() / 2
        found = auroc(ours, others)
        assert found.value == pytest.approx(above)
        assert 0 <= found.lower <= found.value <= found.upper <= 1
        expected = (1 - found.value, 1 - found.upper, 1 - found.lower)
        assert tuple(auroc(others, ours)) == pytest.approx(expected)
        assert auroc(np.exp(ours), np.exp(others)) == found


def test_without_overlap_the_interval_is_that_of_independent_pairs() -> None:
    found = auroc(np.arange(40.0), -1 - np.arange(30.0))
    assert found.value == found.upper == 1
    assert found.lower == pytest.approx(0.025 ** (1 / 30))


@pytest.mark.promise(
    "auroc",
    "its 95 % interval holds the true area in 93 to 97 % of cases",
    "1000 simulations each of 200 against 100 values: alike, apart and of other widths",
)
@pytest.mark.parametrize(("shift", "width"), [(0.0, 1.0), (1.0, 0.3), (1.5, 1.0), (-1.0, 4.0)])
def test_the_interval_holds_the_true_area(shift: float, width: float) -> None:
    random = np.random.default_rng(3)
    true = 0.5 * math.erfc(-shift / math.hypot(1, width) / 2**0.5)
    held = 0
    for _ in range(1000):
        found = auroc(random.normal(shift, 1, 200), random.normal(0, width, 100))
        held += found.lower <= true <= found.upper
    assert 930 <= held <= 970


CONFIG: dict[str, Any] = {
    "datasets": {
        "digits": {"source": "digits", "validation_images": 200, "test_images": 397},
        "again": {"source": "digits", "validation_images": 200, "test_images": 397},
        "fashion": {"source": "fashion-mnist", "validation_images": 10},
        "omniglot": {"source": "omniglot", "validation_images": 10},
        "binary": {"source": "binarized-mnist"},
        "spam": {"source": "spambase", "test_images": 1000},
    },
    "runs": {
        "alpha": {"dataset": "digits"},
        "grey": {"dataset": "fashion", "likelihood": "gaussian"},
        "black": {"dataset": "fashion"},
    },
}


@pytest.mark.parametrize(
    ("section", "complaint"),
    [
        ({"gamma": ["again"]}, "gamma: no run 'gamma', known are alpha, grey, black"),
        ({"alpha": ["mnist"]}, "alpha: no data set 'mnist', known are digits, again"),
        ({"alpha": ["spam"]}, "alpha: spam is of spambase, a table without images"),
        ({"alpha": ["digits"]}, "alpha: digits is its own data set, whose test images are scored"),
        ({"alpha": ["fashion"]}, "fashion has images of 28 x 28, and the run is trained on 8 x 8"),
        ({"grey": ["binary"]}, "binary has levels 0 to 1, and the run is trained on 0 to 255"),
        ({"alpha": []}, r"alpha: \[\] should be non-empty"),
        ({"alpha": ["again", "again"]}, "alpha: .* has non-unique elements"),
        ({"alpha": "again"}, "alpha: 'again' is not of type 'array'"),
        ({"alpha": [3]}, "alpha.0: 3 is not of type 'string', put it in quotes"),
        ({}, r"\{\} should be non-empty"),
    ],
)
def test_a_mistake_in_the_section_is_one_line(section: Any, complaint: str) -> None:
    with pytest.raises(ConfigError, match=rf"\Aconfig: scores.*{complaint}[^\n]*\Z"):
        check({**CONFIG, "scores": section})


def test_its_own_data_set_may_be_named_and_is_not_scored_twice() -> None:
    found = check({**CONFIG, "scores": {"black": ["omniglot", "fashion", "binary"]}}).scores
    assert found == {"black": ["binary", "omniglot"]}
    assert check(CONFIG).scores == check({**CONFIG, "scores": None}).scores == {}


def test_what_scores_reads_the_keys_of_an_evaluation() -> None:
    values = check(CONFIG).runs["alpha"]
    assert specification("alpha", values, "score") == specification("alpha", values, "evaluation")
