"""Refuse what Snakemake passes over in a command line: options and keys that are given twice.

An option that is given again replaces the first, and numbers of --config are those of Python.
"""

import argparse
import contextlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import yaml

from elboflow.specification.config_files import nodes_of
from elboflow.specification.yaml_readings import ConfigError, NodeCheck, is_plain_number, one_line

# Of these Snakemake takes the last alone, with all of its values; and of equal keys the last.
MAPPINGS = ("--set-resources", "--default-resources", "--set-threads", "--resources")
LISTS = ("--configfile", "--config", *MAPPINGS)
SYNONYMS = {
    "--configfiles": "--configfile",
    "-C": "--config",
    "--default-res": "--default-resources",
    "--res": "--resources",
}
OPTION = re.compile(r"-C|-[\w-]+(?==|$)")  # -Cnodes=4 is allowed


def check_options(command: Iterable[str]) -> None:
    """Raise ConfigError if Snakemake would drop one of two options, or of two values."""
    given: Counter[str] = Counter()
    values: Counter[tuple[str, str]] = Counter()
    option = ""
    for word in command:
        if match := OPTION.match(word):
            option = SYNONYMS.get(match[0], match[0])
            given[option] += 1
        elif option in MAPPINGS:
            values[option, word.partition("=")[0]] += 1
    for option in LISTS:
        if given[option] > 1:
            raise ConfigError(
                f"config: {option} is given {given[option]} times, and Snakemake takes the "
                "last alone; give it once, with all values"
            )
    for (option, key), times in values.items():
        if times > 1:
            raise ConfigError(
                f"config: {option} {one_line(key, 100)}: is given {times} times, and the last "
                "would win; give it once"
            )


def check_counts(counts: Mapping[str, int | None]) -> None:
    """Raise ConfigError where Snakemake would wait without end, since no job could ever start."""
    for option, count in counts.items():
        if count is not None and count < 1:
            raise ConfigError(
                f"config: {option} is {count}, and no job could start; give a whole number above 0"
            )


def check_words(words: Iterable[str]) -> None:
    """Check KEY=VALUE as Snakemake reads them: as numbers of Python, else as YAML of texts."""
    seen = set()
    for word in words:
        key, _, value = word.partition("=")
        where = f"config: --config {one_line(word, 100)}"
        if key in seen:
            raise ConfigError(f"{where}: {key} is given twice, and the last would win")
        seen.add(key)
        number = _number(value)
        if number is not None and not is_plain_number(value):
            raise ConfigError(
                f"{where}: the number would be read as {number:.15g}; write it plainly"
            )
        with contextlib.suppress(yaml.YAMLError, ValueError, OverflowError):
            if document := nodes_of(value, where):
                NodeCheck(where, numbers=False).check(document)


def _number(text: str) -> float | None:
    with contextlib.suppress(ValueError):
        return float(text)
    return None


def named_profiles(command: Sequence[str], default: str | None, folder: Path) -> list[str]:
    """The profiles of a command line of Snakemake, or the defaults.

    Args:
        default: that for `--profile`.
        folder: where the Snakefile lies. That for `--workflow-profile` may lie beside it.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--profile", action="append", default=[])
    parser.add_argument("--workflow-profile", default="default")
    named, _ = parser.parse_known_args(command)
    own = Path(named.workflow_profile)
    places = [own, Path("profiles", own), folder / "profiles" / own]
    found = [str(place) for place in places if str(own) != "none" and place.exists()]
    return [*(named.profile or ([default] if default else [])), *found[:1]]
