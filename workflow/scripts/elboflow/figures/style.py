"""One look for all figures, and SVG files that are the same bytes wherever they are drawn."""

import io
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from elboflow.figures.fonts import FAMILY, font_faces
from elboflow.files.whole import write_result

# Seaborn's colour-blind-safe palette without those that are too pale for lines; the last four are
# darkened until they stand out from white by 3.15 to 1. Seven colours and six markers: 42 runs
# differ in at least one.
COLOURS = ["#0173b2", "#d55e00", "#029e73", "#c775b8", "#ca8104", "#4899c7", "#bb8659"]
MARKERS = "os^Dvp"
# Those that page.css knows become others on a dark page. GREY needs no other one.
INK, SOFT, GREY, FAINT = "#333333", "#666666", "#8a8a8a", "#d4d4d4"
# Inches: as wide as what is printed of an A4 page, so that letters are printed at their own size.
WIDTH = 7.3
LETTERS = 9.3  # points, of the smallest letters
BARS: dict[str, Any] = {"elinewidth": 0.8, "capsize": 2}  # of errors
EDGE: dict[str, Any] = {"markeredgecolor": "white", "markeredgewidth": 0.5}  # of filled marks


@dataclass(frozen=True)
class Look:
    """How a run is drawn, in every figure."""

    colour: str
    marker: str

    @property
    def marks(self) -> dict[str, Any]:
        """For errorbar."""
        return {"fmt": self.marker, "color": self.colour}


def apply() -> None:
    """Set the theme, from matplotlib's own defaults and fonts and not from the user's."""
    mpl.rcdefaults()
    plt.switch_backend("agg")
    rc = {
        "axes.labelcolor": INK,
        "axes.edgecolor": GREY,
        "axes.titlelocation": "left",
        "axes.unicode_minus": True,
        "figure.constrained_layout.use": True,
        "grid.color": "#ececec",
        "legend.fontsize": LETTERS,
        "legend.frameon": False,
        "path.simplify_threshold": 0.5,  # pixels
        "svg.fonttype": "none",  # texts stay texts
        "text.color": INK,
        "text.parse_math": False,  # a $ in a name is a $
        "xtick.color": INK,
        "xtick.labelsize": LETTERS,
        "ytick.color": INK,
        "ytick.labelsize": LETTERS,
    }
    sns.set_theme(context="paper", style="whitegrid", font=FAMILY, rc=rc)


def looks(runs: Iterable[str]) -> dict[str, Look]:
    """Colour and marker of each run, by its place among all runs in sorted order."""
    return {
        run: Look(COLOURS[place % len(COLOURS)], MARKERS[place % len(MARKERS)])
        for place, run in enumerate(sorted(set(runs)))
    }


def label(name: str, width: int = 24) -> str:
    """A name in lines of at most `width` characters, broken after underscores where it can be."""
    lines = textwrap.wrap(name.replace("_", "_ "), width + 1)
    return "\n".join(line.replace("_ ", "_") for line in lines) or name


def legend_mark(marker: str, words: str, face: str) -> Line2D:
    """A mark for the legend."""
    look: dict[str, Any] = {"marker": marker, "color": INK, "markerfacecolor": face}
    return Line2D([], [], linestyle="", label=words, **look)


def save_figure(figure: Figure, path: str | Path) -> None:
    """Write an SVG whose ids depend on its name and content, with no date and no version."""
    with mpl.rc_context({"svg.hashsalt": Path(path).stem}):
        buffer = io.BytesIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": "ELBOFlow"})
    write_result(path, _with_fonts(buffer.getvalue().decode()).encode())
    plt.close(figure)


def _with_fonts(svg: str) -> str:
    """The file with its fonts in its style sheet, for machines that lack them."""
    sheet = '<style type="text/css">'
    return svg.replace(sheet, sheet + font_faces(svg), 1)
