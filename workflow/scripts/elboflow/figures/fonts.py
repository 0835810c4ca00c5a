"""The letters of figures: subsets of the fonts that they were measured with, to be embedded."""

import base64
import io
import re
from html import unescape
from pathlib import Path

import matplotlib as mpl
from fontTools.subset import Options, Subsetter, load_font, save_font

FAMILY = "DejaVu Sans"
REGULAR, BOLD = "400", "700"
FILES = {REGULAR: "DejaVuSans.ttf", BOLD: "DejaVuSans-Bold.ttf"}
TEXT = re.compile(r"<text([^>]*)>([^<]*)</text>")
IS_BOLD = re.compile(f'font-weight(: |="){BOLD}')


def font_faces(markup: str) -> str:
    """CSS that defines the fonts of all texts in SVGs, with the characters that they have.

    So a text is as wide as it was measured on machines that lack the fonts as well.
    """
    characters: dict[str, set[str]] = {}
    for attributes, text in TEXT.findall(markup):
        weight = BOLD if IS_BOLD.search(attributes) else REGULAR
        characters.setdefault(weight, set()).update(unescape(text))
    return "".join(
        f'@font-face{{font-family:"{FAMILY}";font-weight:{weight};'
        f'src:url("data:font/woff;base64,{_subset(FILES[weight], characters[weight])}")}}'
        for weight in sorted(characters)
    )


def _subset(file: str, characters: set[str]) -> str:
    """A font with these characters alone, in base64."""
    # Hints are for low resolutions. A ligature is narrower than what was measured.
    options = Options(flavor="woff", hinting=False, layout_features=["kern"])
    options.drop_tables += ["FFTM"]  # dates of FontForge
    font = load_font(str(Path(mpl.get_data_path(), "fonts/ttf", file)), options)
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=sorted(map(ord, characters)))
    subsetter.subset(font)
    buffer = io.BytesIO()
    save_font(font, buffer, options)
    return base64.b64encode(buffer.getvalue()).decode("ascii")
