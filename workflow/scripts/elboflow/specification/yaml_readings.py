"""Where YAML 1.1 reads something else than was written: equal keys, numbers, booleans, dates."""

import math
import re
from collections.abc import Collection, Iterable
from typing import Any, NamedTuple, NoReturn

import yaml

MOST_NODES = 50_000  # with every alias written out
MOST_LEVELS = 50
MOST_DIGITS = 40
PLAIN_NUMBER = re.compile(r"[-+]?(0|[1-9][0-9]*|(?=\.[0-9]))(\.[0-9]*)?([eE][-+]?[0-9]+)?")
READ_AS = {"bool": "true or false", "null": "null", "timestamp": "a date"}
READ_AS |= {"int": "a number", "float": "a number", "value": "a default value", "merge": "a merge"}


class ConfigError(Exception):
    """A configuration that cannot be run; the message is one line that says where."""


def one_line(text: str, most: int = 200) -> str:
    """Text that may be anybody's, without control characters and of bounded length."""
    text = text if len(text) <= most else f"{text[: most // 2]} … {text[-most // 3 :]}"
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def is_plain_number(text: str) -> bool:
    """Whether a number is in the one notation that everybody reads alike."""
    return len(text) <= MOST_DIGITS and PLAIN_NUMBER.fullmatch(text) is not None


def line_of(part: Any) -> int:
    """The line, from 1, in which a node or an event begins."""
    return part.start_mark.line + 1


class Size(NamedTuple):
    """Nodes of a part of a document, itself included, and how deep they lie in each other."""

    nodes: int
    levels: int


OPEN = Size(0, 0)  # of a node that is being looked at


class NodeCheck:
    """One walk over a document's nodes, in their order; raises ConfigError.

    Args:
        where: the file, for messages.
        booleans: keys whose values may be yes, no, on or off; None is all.
        numbers: whether scalars are read by YAML's rules, and not by those of JSON or as text.
    """

    def __init__(
        self, where: str, booleans: Collection[str] | None = None, *, numbers: bool
    ) -> None:
        self.where, self.booleans, self.numbers = where, booleans, numbers
        self.sizes: dict[yaml.Node, Size] = {}

    def check(self, node: yaml.Node, path: str = "") -> Size:
        """Check a node and all below it, once; its size with all aliases written out."""
        if node not in self.sizes:
            self.sizes[node] = OPEN
            sizes = list(self._inner(node, path))
            levels = 1 + max((size.levels for size in sizes), default=0)
            self.sizes[node] = Size(1 + sum(size.nodes for size in sizes), levels)
        if (size := self.sizes[node]) is OPEN:
            self._refuse(node, f"{path} contains itself, by an alias; write it out")
        if size.nodes > MOST_NODES:
            self._refuse(node, f"more than {MOST_NODES} values, with aliases written out")
        if size.levels > MOST_LEVELS:
            self._refuse(node, f"more than {MOST_LEVELS} levels deep, with aliases written out")
        return size

    def _inner(self, node: yaml.Node, path: str) -> Iterable[Size]:
        if isinstance(node, yaml.MappingNode):
            self._check_keys(node, path)
            for key, value in node.value:
                yield self.check(value, f"{path}.{key.value}" if path else key.value)
        elif isinstance(node, yaml.SequenceNode):
            for item in node.value:
                yield self.check(item, path)
        elif isinstance(node, yaml.ScalarNode) and not node.style:
            self._check_scalar(node, path)

    def _check_keys(self, mapping: yaml.MappingNode, path: str) -> None:
        lines: dict[str, int] = {}
        for key, value in mapping.value:
            if not isinstance(key, yaml.ScalarNode):
                self._refuse(key, "a key must be a name; is a blank or a quote missing?")
            kind = key.tag.rpartition(":")[2]
            name = one_line(f"{path}.{key.value}" if path else key.value)
            if kind == "merge":
                self._check_merge(value)
            elif kind != "str" and self.numbers:
                written = one_line(key.value, 60)
                advice = f"write '{written}', in quotes" if written else "give it a name"
                self._refuse(key, f"the key {name} is {READ_AS[kind]} to YAML; {advice}")
            if key.value in lines:
                first, last = lines[key.value], line_of(key)
                both = f"lines {first} and {last}" if first != last else f"line {first}"
                raise ConfigError(
                    f"{self.where}, {both}: {name} stands twice, and the last would win; "
                    "take one out, or give it another name"
                )
            lines[key.value] = line_of(key)

    def _check_merge(self, value: yaml.Node) -> None:
        merged = value.value if isinstance(value, yaml.SequenceNode) else [value]
        if not all(isinstance(node, yaml.MappingNode) for node in merged):
            self._refuse(value, "<<: takes the alias of a mapping, or a list of such")

    def _check_scalar(self, node: yaml.ScalarNode, path: str) -> None:
        if advice := self._advice(node.value, node.tag.rpartition(":")[2], path):
            written = one_line(node.value, 60)
            self._refuse(node, f"{one_line(path)}: YAML reads {written} as {advice}")

    def _advice(self, text: str, kind: str, path: str) -> str | None:
        """What YAML reads, and how to write what was meant; None where that is clear."""
        if kind in ("int", "float") and len(text) > MOST_DIGITS:
            return f"a number of {len(text)} digits; write at most {MOST_DIGITS}"
        if not self.numbers:
            return None
        quoted = f"or '{one_line(text, 60)}' in quotes for the text"
        if kind in ("int", "float"):
            return None if is_plain_number(text) else _number_advice(text, quoted)
        if kind == "bool" and text.lower() not in ("true", "false"):
            read = str(text.lower() in ("yes", "on")).lower()
            clear = self.booleans is None or path.rpartition(".")[2] in self.booleans
            return None if clear else f"{read}; write {read}, {quoted}"
        if kind in ("timestamp", "value", "merge"):
            return f"{READ_AS[kind]}; write '{text}', in quotes"
        return f"null; write null, {quoted}" if text == "~" else None

    def _refuse(self, node: yaml.Node, complaint: str) -> NoReturn:
        raise ConfigError(f"{self.where}, line {line_of(node)}: {one_line(complaint, 300)}")


def _number_advice(text: str, quoted: str) -> str:
    try:
        number = yaml.safe_load(text)
    except ValueError:  # of 0x_
        return f"a number, and cannot; write one, {quoted}"
    if not math.isfinite(number):
        return f"{number}; write a finite number, {quoted}"
    decimal = text.replace("_", "").lstrip("+-").lstrip("0")
    # 010 is octal to YAML, and hardly to anybody who writes it.
    meant = decimal if decimal.isdigit() else number
    sign = "-" if text.startswith("-") and meant is decimal else ""
    return f"{number}; write {sign}{meant} for the number, {quoted}"
