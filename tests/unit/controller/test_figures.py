"""The figures: what they show of the inputs, and that they are drawn for any run."""

import re
import subprocess
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Annotation

from elboflow.figures import style as figure_style
from elboflow.figures.bound_against_k import plot_bound_against_k
from elboflow.figures.estimators import plot_estimators
from elboflow.figures.image_strips import (
    FOOT,
    TALLEST,
    DataSet,
    Strip,
    datasets_of_runs,
    draw_strips,
    montage,
    read_images,
)
from elboflow.figures.latent_dimensions import plot_latent_dimensions
from elboflow.figures.rate_distortion import draw_baselines, plot_rate_distortion
from elboflow.figures.rate_distortion_plane import beta_series, draw_regions, frontier, square
from elboflow.figures.reconstructions import plot_reconstructions, strips
from elboflow.figures.sample_quality import plot_sample_quality
from elboflow.figures.samples import plot_samples
from elboflow.figures.training_curves import (
    best_runs,
    elbo_range,
    grid,
    kept_epochs,
    plot_training_curves,
)
from elboflow.reading.columns import CURVE, METRICS, UNITS
from elboflow.reading.errors import InputError
from elboflow.reading.tables import gather_results, gather_settings, means_over_seeds, stack

TINY = DataSet("tiny", (2, 3), levels=16)


def training(folder: Path) -> pd.DataFrame:
    return stack(sorted(folder.glob("results/runs/*/seed*/metrics.csv")), METRICS, "epoch")


def units(folder: Path) -> pd.DataFrame:
    return stack(sorted(folder.glob("results/runs/*/seed*/units.csv")), UNITS, "unit")


def settings(folder: Path) -> pd.DataFrame:
    return gather_settings(sorted(folder.glob("results/runs/*/run.json")))


def images(count: int, shape: tuple[int, int] = (2, 3)) -> dict[str, np.ndarray]:
    pixels = np.arange(count * shape[0] * shape[1]).reshape(count, -1) % 16
    means = (pixels / 16).astype(np.float32)
    return {"grey": pixels, "binary": pixels % 2, "reconstruction": means, "sample": means}


def test_with_patience_the_best_epoch_is_marked(finished: Path) -> None:
    kept = kept_epochs(training(finished), {"alpha": "3", "beta": "null"}, {}, {})
    epochs = kept.set_index(["run", "seed"])["epoch"]
    last = {"alpha": 8, "beta": 12}
    assert epochs.to_dict() == {(run, seed): last[run] for run in last for seed in (1, 2)}


def test_epochs_of_the_warm_up_are_not_kept(finished: Path) -> None:
    patience = {"alpha": "3", "beta": "3"}
    kept = kept_epochs(training(finished), patience, {"alpha": "9.5", "beta": "500"}, {})
    assert kept.groupby("run")["epoch"].unique().map(list).to_dict() == {
        "alpha": [10],
        "beta": [12],
    }


def test_the_epoch_that_is_marked_is_the_best_at_the_runs_beta(finished: Path) -> None:
    """The ELBO falls by a nat after epoch 8 while the rate falls by half a nat an epoch."""
    rows = training(finished)
    rows["validation_rate_nats"] = 5 - rows["epoch"] / 2
    kept = kept_epochs(rows, dict.fromkeys(("alpha", "beta"), "3"), {}, {"alpha": "4", "beta": "2"})
    assert kept.groupby("run")["epoch"].unique().map(list).to_dict() == {"alpha": [12], "beta": [8]}


def test_the_steep_first_epoch_lies_below_the_frame(finished: Path) -> None:
    rows = training(finished)
    low, high = elbo_range(rows[rows["epoch"] > 0])
    later = rows[rows["epoch"] > 1]["validation_elbo_nats"]
    assert rows["validation_elbo_nats"].min() < -50
    assert low > -50
    assert low < later.min() <= later.max() < high


def test_each_data_set_begins_a_row_of_panels() -> None:
    datasets = {"a": "mnist", "b": "digits", "c": "mnist", "d": "mnist", "e": "mnist"}
    assert grid(datasets) == [["b"], ["a", "c", "d"], ["e"]]


def test_of_many_runs_the_best_are_drawn() -> None:
    runs = [f"run{place:02d}" for place in range(15)]
    kept = pd.DataFrame({"run": [*runs, "alone"], "validation_elbo_nats": [*range(15), -99.0]})
    drawn = best_runs(kept, {**dict.fromkeys(runs, "digits"), "alone": "mnist"})
    assert list(drawn) == [*runs[3:], "alone"]


def test_panels_of_training_curves_share_the_elbo_axis(finished: Path) -> None:
    figure = plot_training_curves(training(finished), settings(finished))
    assert [axes.get_title("left") for axes in figure.axes] == ["alpha", "beta"]
    assert figure.axes[0].get_ylim() == figure.axes[1].get_ylim()


def summaries(folder: Path) -> pd.DataFrame:
    return gather_results(sorted(folder.glob("results/runs/*/seed*/summary.csv")))


def test_equal_elbos_are_diagonals() -> None:
    rate, distortion = pd.Series([4.0, 10.0]), pd.Series([12.0, 13.0])
    (left, right), (bottom, top) = square(rate, distortion, 0.5, None)
    assert right - left == pytest.approx(top - bottom)
    assert left < 4.0 < 10.0 < right
    assert bottom < 12.0 < 13.0 < top


def test_what_is_impossible_is_in_view_unless_far_away() -> None:
    rate, distortion = pd.Series([4.0, 10.0]), pd.Series([16.0, 13.0])
    alone = square(rate, distortion, 0.5, None)
    assert alone[0][0] + alone[1][0] > 12
    (left, right), (bottom, top) = square(rate, distortion, 0.5, 12.0)
    assert right - left == pytest.approx(top - bottom)
    assert left + bottom < 12
    assert left < 4.0 < 10.0 < right and bottom < 13.0 < 16.0 < top
    assert square(rate, distortion, 0.5, 1.0) == alone


def test_rates_below_zero_take_little_of_the_view() -> None:
    (left, right), _ = square(pd.Series([0.0, 1.0]), pd.Series([10.0, 30.0]), 0.5, None)
    assert -0.1 * (right - left) < left < 0


def test_the_impossible_ends_where_rate_and_distortion_add_up_to_the_entropy() -> None:
    figure_style.apply()
    axes = figure_style.plt.figure().add_subplot()
    axes.set(xlim=(0, 10), ylim=(5, 15))
    draw_regions(axes, pd.Series([3.0]), pd.Series([12.0]), 8.0)
    assert [line.get_xydata().sum(1).tolist() for line in axes.lines] == [[8.0, 8.0]]
    impossible = axes.collections[1].get_paths()[0]
    assert impossible.contains_point((0.5, 7.4)) and not impossible.contains_point((0.5, 7.6))
    figure_style.plt.close("all")


@pytest.mark.parametrize("entropy", [None, 4.9])
def test_without_a_bound_in_view_nothing_is_called_impossible(entropy: float | None) -> None:
    figure_style.apply()
    axes = figure_style.plt.figure().add_subplot()
    axes.set(xlim=(0, 10), ylim=(5, 15))
    draw_regions(axes, pd.Series([3.0]), pd.Series([12.0]), entropy)
    assert len(axes.texts) == len(axes.lines) == 0
    assert len(axes.collections) == 1
    figure_style.plt.close("all")


def test_the_frontier_leaves_out_what_another_run_beats_in_both() -> None:
    rates, distortions = frontier(pd.Series([5.0, 1.0, 3.0, 1.0]), pd.Series([7.0, 9.0, 11.0, 8.0]))
    assert rates.tolist() == [1.0, 1.0, 3.0, 5.0]
    assert distortions.tolist() == [8.0, 8.0, 8.0, 7.0]


def test_runs_that_differ_in_beta_alone_are_a_series_in_its_order() -> None:
    runs = {"a": ("10", "20"), "b": ("0.5", "20"), "c": ("2", "20"), "other": ("1", "2")}
    rows = [
        (run, part, key, value)
        for run, (beta, latent) in runs.items()
        for part, key, value in (
            ("training", "beta", beta),
            ("training", "latent_dim", latent),
            ("evaluation", "evaluation_seed", run),
        )
    ]
    settings = pd.DataFrame(rows, columns=["run", "part", "key", "value"])
    (series,) = beta_series(settings)
    assert list(series) == ["b", "c", "a"]


def test_beta_stands_beside_the_runs_that_differ_in_it_alone(finished: Path) -> None:
    """beta 1 and 1.2 of one architecture; seeds 2 nats apart."""

    def betas() -> dict[str, tuple[float, float]]:
        results = summaries(finished)
        figure = plot_rate_distortion(results, means_over_seeds(results), settings(finished))
        notes = [text for text in figure.axes[0].texts if isinstance(text, Annotation)]
        return {note.get_text(): note.xy for note in notes}

    assert betas() == {"beta 1": (5.0, 16.0), "beta 1.2": (5.0, 20.0)}
    other = finished / "results/runs/beta/run.json"
    other.write_text(other.read_text().replace('"latent_dim": 2', '"latent_dim": 3'))
    assert betas() == {}


def points(axes: Any) -> dict[tuple[float, float], str]:
    """Where marks with bars are, and what they are filled with."""
    return {
        (line.get_xdata()[0], line.get_ydata()[0]): line.get_markerfacecolor()
        for line in axes.lines
        if line.get_marker() in (*figure_style.MARKERS, "x")
    }


def test_samples_are_filled_and_reconstructions_hollow(finished: Path) -> None:
    summary = means_over_seeds(summaries(finished))
    halves, bounds = plot_sample_quality(summary, settings(finished)).axes
    colours = {run: look.colour for run, look in figure_style.looks(["alpha", "beta"]).items()}
    assert points(halves) == {(0.9, 0.2): colours["beta"], (0.7, 0.45): "white"}
    drawn = points(bounds)
    assert [drawn[0.3, place - 0.2] for place in (0, 1)] == list(colours.values())
    assert [drawn[0.1, place] for place in (0, 1)] == ["white"] * 2
    assert {(-0.002, 0.2), (-0.002, 1.2)} < set(drawn)
    assert [label.get_text() for label in bounds.get_yticklabels()] == ["alpha", "beta"]


def test_runs_that_were_not_held_against_test_images_are_left_out(finished: Path) -> None:
    summary = means_over_seeds(summaries(finished))
    told = summary["quantity"].str.contains("_1nn_|_jsd_bound|_nearest_")
    _, bounds = plot_sample_quality(
        summary[~told | (summary["run"] == "beta")], settings(finished)
    ).axes
    assert [label.get_text() for label in bounds.get_yticklabels()] == ["beta"]
    empty = plot_sample_quality(summary[~told], settings(finished))
    assert [text.get_text() for text in empty.texts] == ["not measured: too few test images"]


@pytest.mark.promise(
    "log_likelihood_bias, log_likelihood_lower, log_likelihood_upper",
    "the figure of the bound against K shows them beside the bound at K",
    "means over seeds of two runs, from what is drawn",
)
def test_the_bound_against_k_ends_in_log_likelihood(finished: Path) -> None:
    paths = sorted(finished.glob("results/runs/*/seed*/bound_against_k.csv"))
    curves = stack(paths, CURVE, "samples")
    summary = means_over_seeds(summaries(finished))
    (axes,) = plot_bound_against_k(curves, summary, settings(finished)).axes
    shown = [line.get_ydata() for line in axes.lines if line.get_linestyle() == "-"]
    rising = [line for line in shown if len(line) == 7]
    assert len(rising) == 2
    for line in rising:
        assert line == pytest.approx([-0.6, -0.5, -0.4, -0.3, -0.2, -0.1, 0])
    assert [line for line in shown if line == pytest.approx([-0.03, 0.25])] != []
    hollow = [line for line in axes.lines if line.get_markerfacecolor() == "white"]
    assert [line.get_ydata()[0] for line in hollow] == pytest.approx([0.05, 0.05])


def test_the_bound_against_k_names_as_many_runs_as_have_room(finished: Path) -> None:
    paths = sorted(finished.glob("results/runs/alpha/seed1/bound_against_k.csv"))
    curve, summary = stack(paths, CURVE, "samples"), means_over_seeds(summaries(finished))
    known = settings(finished)
    names = [f"run_{number:02}" for number in range(12)]

    def copies(table: pd.DataFrame) -> pd.DataFrame:
        own = table[table["run"] == "alpha"]
        return pd.concat([own.assign(run=name) for name in names], ignore_index=True)

    (axes,) = plot_bound_against_k(copies(curve), copies(summary), copies(known)).axes
    (legend,) = [axes.get_legend()]
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == names[:10]
    assert axes.get_title("right") == "10 of 12 runs, the first by name"


def test_rate_distortion_names_runs_best_at_the_top(finished: Path) -> None:
    results = summaries(finished)
    figure = plot_rate_distortion(results, means_over_seeds(results), settings(finished))
    names = [label.get_text() for label in figure.axes[1].get_yticklabels()]
    assert names == ["beta", "alpha"]  # from the bottom; alpha has the higher log p(x)
    assert figure.axes[1].get_title("left") == "noise floor \u22128.00; mean image \u221240.00"


def test_a_far_baseline_does_not_squeeze_the_runs() -> None:
    figure_style.apply()
    axes = figure_style.plt.figure().add_subplot()
    axes.plot([-230, -228], [0, 0])
    before = axes.get_xlim()
    draw_baselines(axes, pd.DataFrame({"noise_floor": [-190.0], "mean_image": [-385.0]}))
    assert axes.get_xlim() == before
    figure_style.plt.close("all")


def test_runs_of_other_data_have_panels_of_their_own(finished: Path) -> None:
    """alpha stays Bernoulli, beta becomes a density that has no noise floor and no bits."""
    run = finished / "results/runs/beta/run.json"
    run.write_text(run.read_text().replace("bernoulli", "gaussian"))
    for path in finished.glob("results/runs/beta/*/summary.csv"):
        lines = path.read_text().splitlines(keepends=True)
        path.write_text(
            "".join(line for line in lines if "bits" not in line and "floor" not in line)
        )
    results = summaries(finished)
    figure = plot_rate_distortion(results, means_over_seeds(results), settings(finished))
    titles = [axes.get_title("left") for axes in figure.axes]
    assert titles[1::2] == [
        "noise floor \u22128.00; mean image \u221240.00",
        "mean image \u221240.00",
    ]
    assert titles[0] == "tiny, test images"
    assert "densities" in titles[2]
    curves = plot_training_curves(training(finished), settings(finished))
    assert ["densities" in axes.get_ylabel() for axes in curves.axes] == [False, True]


def test_baselines_that_differ_between_runs_are_left_out() -> None:
    figure_style.apply()
    axes = figure_style.plt.figure().add_subplot()
    draw_baselines(axes, pd.DataFrame({"mean_image": [-40.0, -41.0], "noise_floor": [-9.0, None]}))
    assert axes.get_title("left") == "noise floor \u22129.00"
    figure_style.plt.close("all")


def test_models_of_grey_levels_have_no_binary_input() -> None:
    seen = images(3)
    grey_only = {name: array for name, array in seen.items() if name != "binary"}
    both = strips({"a": seen, "b": grey_only}, {"a": TINY, "b": TINY})
    assert [strip.label for strip in both] == ["tiny: original", "tiny: binary input", "a", "b"]
    alone = strips({"b": grey_only}, {"b": TINY})
    assert [strip.label for strip in alone] == ["tiny: original", "b"]


def test_a_run_looks_the_same_in_every_figure() -> None:
    names = [f"run{place:02}" for place in range(42)]
    looks = figure_style.looks(names)
    assert looks == figure_style.looks(reversed(names))
    assert len(set(looks.values())) == 42


def test_estimators_have_the_looks_of_their_runs_and_of_many_the_first_are_drawn() -> None:
    names = [f"run{number}" for number in range(9)]
    values = {"ais_nats": -20.0, "ais_error_nats": 0.1, "upper_nats": -19.0}
    values |= {"importance_nats": -20.5, "importance_error_nats": 0.1}
    rows = [
        {"run": run, "origin": origin, **values}
        for run in names[1:]
        for origin in ("test", "simulated")
    ]
    looks = figure_style.looks(names)
    figure = plot_estimators(pd.DataFrame(rows), looks)
    assert [axes.get_title("left") for axes in figure.axes] == names[1:7]
    first = figure.axes[0].containers[0].lines[0]
    assert (first.get_color(), first.get_marker()) == (looks["run1"].colour, looks["run1"].marker)
    assert figure.legends[0].get_title().get_text() == "6 of 8 runs, the first by name"


def test_montage_puts_images_in_rows_with_gutters() -> None:
    sheet = montage(np.arange(18.0).reshape(3, 6), (2, 3), columns=2)
    nan = np.nan
    np.testing.assert_array_equal(
        sheet,
        [
            [0, 1, 2, nan, 6, 7, 8],
            [3, 4, 5, nan, 9, 10, 11],
            [nan] * 7,
            [12, 13, 14, nan, nan, nan, nan],
            [15, 16, 17, nan, nan, nan, nan],
        ],
    )


def test_images_in_colour_keep_their_colours_between_white_gutters() -> None:
    pixels = np.linspace(0, 1, 2 * 18).reshape(2, 18)
    figure = draw_strips([Strip("colour", pixels, (2, 3, 3))], columns=2)
    sheet = figure.axes[0].images[0].get_array()
    assert sheet is not None and sheet.shape == (2, 7, 3)
    np.testing.assert_allclose(sheet[:, :3], pixels[0].reshape(2, 3, 3), atol=1 / 255)
    np.testing.assert_allclose(sheet[:, 4:], pixels[1].reshape(2, 3, 3), atol=1 / 255)
    assert (sheet[:, 3] == 1).all()


def test_originals_come_before_the_runs_of_their_data_set() -> None:
    binary = DataSet("binary", (2, 3), levels=1)
    shown = {"a": images(2), "b": images(4), "c": images(3)}
    rows = strips(shown, {"a": TINY, "b": TINY, "c": binary})
    labels = [row.label for row in rows]
    assert labels == ["binary: binary input", "c", "tiny: original", "tiny: binary input", "a", "b"]
    assert [len(row.images) for row in rows] == [3, 3, 4, 4, 2, 4]
    assert rows[2].images.max() <= 1


def test_samples_of_a_run_fill_rows_of_ten() -> None:
    figure = plot_samples({"a": images(13)}, {"a": TINY})
    sheet = figure.axes[0].images[0].get_array()
    assert sheet is not None
    assert sheet.shape == (2 * 2 + 1, 10 * 3 + 9)


def test_strips_of_many_runs_stay_on_a_page() -> None:
    runs = [f"run_{number:02}" for number in range(40)]
    figure = plot_samples({run: images(10) for run in runs}, dict.fromkeys(runs, TINY))
    assert figure.get_figheight() <= TALLEST + FOOT
    rows = len(figure.axes)
    assert 1 < rows < 40
    assert [text.get_text() for text in figure.texts] == [f"{rows} of 40 rows, the first by name"]


def test_strips_that_a_page_has_no_room_for_do_not_hide_which_runs_were_left_out_before() -> None:
    strips = [Strip(f"run_{number:02}", images(10)["sample"], (2, 3)) for number in range(40)]
    (told,) = draw_strips(strips, 10, "40 of 200 runs, the first by name").texts
    assert re.fullmatch(r"40 of 200 runs, the first by name; \d+ of 40 rows", told.get_text())


def test_reconstructions_show_at_most_twelve_images() -> None:
    figure = plot_reconstructions({"a": images(20)}, {"a": TINY})
    for axes in figure.axes:
        sheet = axes.images[0].get_array()
        assert sheet is not None
        assert sheet.shape == (2, 12 * 3 + 11)


@pytest.mark.parametrize("name", ["$x_{", "_hidden", "<b>&", "long_" * 30])
def test_any_name_can_be_drawn(tmp_path: Path, name: str) -> None:
    path = tmp_path / "strips.svg"
    figure_style.save_figure(draw_strips([Strip(name, images(1)["grey"], (2, 3))], 1), path)
    assert ElementTree.parse(path).getroot().tag.endswith("svg")


@pytest.mark.filterwarnings("error")
def test_a_damaged_archive_is_refused_by_name(finished: Path) -> None:
    path = finished / "results/runs/alpha/seed1/images.npz"
    whole = path.read_bytes()
    for damaged in (whole[: len(whole) // 2], b"", b"no archive"):
        path.write_bytes(damaged)
        with pytest.raises(InputError) as refusal:
            read_images(path)
        assert str(refusal.value).startswith(f"{path}: ")
        assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("array", [np.zeros(4), np.zeros((0, 4)), np.array([["a"]]), np.array(5)])
def test_arrays_that_are_no_images_are_refused(tmp_path: Path, array: np.ndarray) -> None:
    path = tmp_path / "images.npz"
    np.savez(path, **{**images(2), "binary": array})  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"images\.npz: binary is no array of images"):
        read_images(path)


@pytest.mark.filterwarnings("error")
def test_an_array_under_the_name_of_an_archive_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "images", np.zeros((2, 4)))
    (tmp_path / "images.npy").rename(tmp_path / "images.npz")
    with pytest.raises(InputError, match=r"images\.npz: a single array, not an archive; delete"):
        read_images(tmp_path / "images.npz")


def test_a_run_on_a_data_set_without_manifest_is_refused(finished: Path) -> None:
    with pytest.raises(InputError, match=r"run\.json: there is no manifest of data set 'tiny'"):
        datasets_of_runs([finished / "results/runs/alpha/run.json"], {"other": TINY})


def test_an_archive_without_an_array_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "images.npz", sample=np.zeros((1, 4)))
    with pytest.raises(InputError, match=r"images\.npz: .*grey"):
        read_images(tmp_path / "images.npz")


def test_svg_holds_no_date_and_no_version(
    finished: Path,
    script_jobs: Callable[[Path], list[dict[str, Any]]],
    scripts_runner: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    work = script_jobs(finished)[:-1]
    done = scripts_runner(work, cwd=finished)
    assert done.returncode == 0, done.stderr
    figures = sorted(finished.glob("results/figures/*.svg"))
    assert len(figures) == sum(job["script"].endswith("plot.py") for job in work) >= 7
    for path in figures:
        ElementTree.parse(path)
        text = path.read_text()
        assert "dc:date" not in text
        assert "Matplotlib v" not in text
        assert "@font-face" in text or "<text" not in text, "letters have their font with them"
        assert str(finished) not in text


def test_dimensions_are_sorted_and_stand_beside_the_threshold(finished: Path) -> None:
    gathered = units(finished)
    gathered.loc[gathered["unit"] == 0, "posterior_mean_variance"] = 0.004
    figure = plot_latent_dimensions(gathered, settings(finished))
    rates, variances = figure.axes[:2]
    assert [list(line.get_ydata()) for line in rates.lines] == [[4, 1], [4, 1], [0.1, 0.1]]
    heights = [list(line.get_ydata()) for line in variances.lines]
    assert heights == [[0.5, 0.004]] * 2 + [[0.01, 0.01]]
    (band,) = variances.patches
    assert (band.get_y(), band.get_y() + band.get_height()) == (0.005, 0.02)
    assert [axes.get_title("left") for axes in figure.axes[::2]] == ["alpha", "beta"]


def test_a_kl_that_is_no_sum_leaves_its_panel_empty(finished: Path) -> None:
    gathered = units(finished)
    gathered.loc[gathered["run"] == "alpha", "rate_nats"] = np.nan
    alpha, _, beta, _ = plot_latent_dimensions(gathered, settings(finished)).axes
    assert not alpha.lines and alpha.texts[0].get_text() == "the KL is no sum over dimensions"
    assert len(beta.lines) == 3
