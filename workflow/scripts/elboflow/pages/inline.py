"""Put an SVG of matplotlib into a page, so that the page's colours, fonts and readers reach it."""

import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from xml.etree.ElementTree import Element

from markupsafe import Markup

from elboflow.reading.errors import InputError

REFERENCE = re.compile(r"url\(#([^)]+)\)|^#(.+)")
# What matplotlib says in a style sheet of the file, which would hold for all of the page.
INHERITED = {"stroke-linejoin": "round", "stroke-linecap": "butt"}


def inline_svg(path: str | Path, label: str) -> Markup:
    """The figure as an element of a page.

    Its ids, which begin with the file's name, cannot meet those of another figure. Styles become
    attributes: a page's policy forbids style attributes, and its style sheet can override these.

    Args:
        label: a few words for screen readers, which take a figure as an image.

    Raises:
        InputError: no SVG.
    """
    try:
        root = ElementTree.fromstring(Path(path).read_bytes())
    except ElementTree.ParseError as error:
        raise InputError(f"{path}: no SVG ({error}); delete the file and run again") from None
    parts = [(element, _drawn(element)) for element in root.iter()]
    for element, children in parts:
        element[:] = children
    for element in root.iter():
        _plain(element)
    _name_ids(root, Path(path).stem)
    root.attrib |= {"role": "img", "aria-label": label, **INHERITED}
    return Markup(ElementTree.tostring(root, encoding="unicode"))


def _drawn(element: Element) -> list[Element]:
    """The children that draw something, or are referred to."""
    return [child for child in element if not child.tag.endswith(("}metadata", "}style"))]


def _plain(element: Element) -> None:
    """Without name spaces, styles and white space between elements."""
    element.tag = element.tag.rpartition("}")[2]
    attributes = {key.rpartition("}")[2]: value for key, value in element.attrib.items()}
    for declaration in attributes.pop("style", "").split(";"):
        name, _, value = declaration.partition(":")
        if value:
            attributes[name.strip()] = value.strip()
    element.attrib.clear()
    element.attrib.update(attributes)
    element.tail = None
    element.text = element.text if element.tag == "text" else None


def _name_ids(root: Element, name: str) -> None:
    """Begin ids with a name, and leave out those that nothing refers to."""
    named, referred = {element.get("id") for element in root.iter()}, set()
    for element in root.iter():
        for key, value in element.attrib.items():
            found = REFERENCE.search(value)
            identifier = found and (found[1] or found[2])
            if identifier and identifier in named:  # and no colour
                referred.add(identifier)
                element.set(key, value.replace(f"#{identifier}", f"#{name}-{identifier}"))
    for element in root.iter():
        identifier = element.attrib.pop("id", None)
        if identifier in referred:
            element.set("id", f"{name}-{identifier}")
