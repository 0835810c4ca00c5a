"""Figures of the latent space and of single images: what they show, for any runs."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure

from elboflow.figures import interpolation, latent_plane, latent_traversal, log_likelihood_per_image
from elboflow.figures.image_strips import DataSet
from elboflow.figures.latent_plane import draw_plane, plot_latent_plane
from elboflow.figures.log_likelihood_per_image import plot_log_likelihood_per_image
from elboflow.figures.panels import MOST_RUNS
from elboflow.figures.split_images import read_labels, read_test_images
from elboflow.figures.walks import read_walks
from elboflow.reading.errors import InputError
from elboflow.reading.tables import gather_settings

TINY = DataSet("tiny", (4, 4), levels=16)
OF_WALKS = {"plane": latent_plane, "traversal": latent_traversal, "interpolation": interpolation}


@pytest.fixture
def inputs(finished: Path) -> SimpleNamespace:
    """What the rules name, of first seeds."""

    def each(pattern: str) -> list[Path]:
        return sorted(finished.glob(f"results/{pattern}"))

    settings = finished / "settings.csv"
    gather_settings(each("runs/*/run.json")).to_csv(settings, index=False)
    return SimpleNamespace(
        settings=settings,
        specifications=each("runs/*/run.json"),
        manifests=each("data/*/manifest.json"),
        labels=each("data/*/labels.json"),
        walks=each("runs/*/seed1/walks.npz"),
        per_image=each("runs/*/seed1/per_image.csv"),
    )


def sheet(figure: Figure, strip: int = 0) -> np.ndarray:
    found = figure.axes[strip].images[0].get_array()
    assert found is not None
    return np.asarray(found)


def words(figure: Figure) -> str:
    return " ".join(text.get_text() for text in figure.findobj(plt.Text))


def test_each_dimension_has_a_row_of_the_traversal(inputs: SimpleNamespace) -> None:
    figure = latent_traversal.draw(inputs)
    walks = read_walks(inputs.walks)["alpha"]
    assert sheet(figure).shape == (2 * 4 + 1, 11 * 4 + 10)
    np.testing.assert_array_equal(sheet(figure)[5:, :4].ravel(), walks["traversal"][1, 0])
    assert "alpha: dimensions 2, 1" in words(figure)


def test_an_interpolation_lies_between_the_test_images_themselves(inputs: SimpleNamespace) -> None:
    figure = interpolation.draw(inputs)
    images = read_test_images(inputs.manifests, "tiny", "test")
    shown = sheet(figure)
    np.testing.assert_allclose(shown[:, :4].ravel(), images[0] / 16)
    np.testing.assert_allclose(shown[:, -4:].ravel(), images[7] / 16)
    assert shown.shape == (4, 11 * 4 + 10)


def test_the_plane_marks_each_image_by_its_label(inputs: SimpleNamespace) -> None:
    figure = latent_plane.draw(inputs)
    plane = read_walks(inputs.walks)["alpha"]["plane"]
    axes = figure.axes[0]
    for number, marks in enumerate(axes.collections):
        np.testing.assert_allclose(marks.get_offsets(), plane[np.arange(53) % 3 == number])
    assert len({mark.get_paths()[0].vertices.tobytes() for mark in axes.collections}) == 3
    names = [text.get_text() for text in axes.get_legend().get_texts()]
    assert names == ["0: ape", "1: bee", "2"]


def test_without_labels_the_plane_has_dots(inputs: SimpleNamespace) -> None:
    inputs.labels = []
    (axes, _) = latent_plane.draw(inputs).axes
    (dots,) = axes.collections
    assert len(np.asarray(dots.get_offsets())) == 53
    assert axes.get_legend() is None


def test_labels_that_were_nowhere_to_be_found_are_none(inputs: SimpleNamespace) -> None:
    inputs.labels[0].write_text('{"classes": []}')
    assert read_labels(inputs.labels) == {}


def test_the_plane_shows_the_first_thousand() -> None:
    axes = plt.figure().add_subplot()
    draw_plane(axes, np.zeros((1500, 2)), None)
    assert len(np.asarray(axes.collections[0].get_offsets())) == 1000
    plt.close("all")


@pytest.mark.parametrize("array", OF_WALKS)
def test_runs_without_such_a_z_are_left_out_with_a_word(
    inputs: SimpleNamespace, array: str
) -> None:
    np.savez(inputs.walks[0])
    figure = OF_WALKS[array].draw(inputs)
    assert "beta" in words(figure) and "alpha" not in words(figure)
    np.savez(inputs.walks[1])
    assert OF_WALKS[array].draw(inputs).texts[0].get_text().startswith("no ")


def test_of_many_runs_the_first_are_shown_and_it_is_said(inputs: SimpleNamespace) -> None:
    walks = read_walks(inputs.walks)["alpha"]
    many = {f"run{place:02}": walks for place in range(30)}
    runs = dict.fromkeys(many, TINY)
    images = {"tiny": np.zeros((53, 16), np.uint8)}
    said = "6 of 30 runs, the first by name"
    for figure in (
        latent_traversal.plot_latent_traversal(many, runs),
        interpolation.plot_interpolation(many, runs, images),
        plot_latent_plane(many, runs, {}),
    ):
        assert len(figure.axes) == MOST_RUNS
        assert said in words(figure) and "run05" in words(figure)
        assert "run06" not in words(figure)
    assert said not in words(latent_traversal.plot_latent_traversal({"a": walks}, {"a": TINY}))


def test_the_best_run_shows_its_worst_and_best_images_with_their_values() -> None:
    values = {"low": np.arange(-60.0, -10), "high": np.arange(-50.0, 0)}
    images = np.arange(50)[:, None].repeat(16, 1).astype(np.uint8)
    levels = DataSet("tiny", (4, 4), levels=100)
    figure = plot_log_likelihood_per_image(
        values, dict.fromkeys(values, "tiny"), dict.fromkeys(values, levels), {"tiny": images}
    )
    boxes, *shown = figure.axes
    assert [label.get_text() for label in boxes.get_yticklabels()] == ["low", "high"]
    values_shown = [axes.get_title() for axes in shown]
    assert values_shown[:2] == ["\u221250.0", "\u221249.0"]
    assert values_shown[8:10] == ["\u22121.0", "\u22122.0"]
    assert float(np.asarray(shown[8].images[0].get_array()).mean()) == pytest.approx(0.49)
    assert "high: the worst 8 test images, and the best 8" in words(figure)


def test_log_likelihoods_of_images_are_drawn_from_the_files(inputs: SimpleNamespace) -> None:
    figure = log_likelihood_per_image.draw(inputs)
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["beta", "alpha"]
    assert "nats" in figure.axes[0].get_xlabel()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda inputs: inputs.walks[0].write_bytes(b"no archive"),
        lambda inputs: np.savez(inputs.walks[0], plane=np.zeros(3)),
        lambda inputs: np.savez(inputs.walks[0], unknown=np.zeros((3, 2))),
        lambda inputs: inputs.labels[0].write_text("{"),
        lambda inputs: inputs.labels[0].write_text("[]"),
        lambda inputs: inputs.labels[0].write_text('{"classes": ["one"]}'),
        lambda inputs: inputs.labels[0].with_name("test_labels.npy").write_bytes(b""),
        lambda inputs: np.save(inputs.labels[0].with_name("test_labels.npy"), np.zeros((2, 2))),
    ],
)
def test_what_is_damaged_is_refused_by_name(inputs: SimpleNamespace, spoil: Any) -> None:
    spoil(inputs)
    with pytest.raises(InputError) as refusal:
        latent_plane.draw(inputs)
    assert str(refusal.value).startswith("/") and "\n" not in str(refusal.value)
