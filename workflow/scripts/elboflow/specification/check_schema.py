"""The schema's complaints about a configuration, in one line each."""

import contextlib
import difflib
import math
import sys
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match
from jsonschema.validators import extend

from elboflow.specification.schema import read_schema
from elboflow.specification.yaml_readings import is_plain_number, one_line

LARGEST = sys.float_info.max  # beyond it an integer is no number of torch's either


def _is_integer(_: Any, value: Any) -> bool:
    """JSON calls 10.0 an integer; a layer of 10.0 units dies late."""
    return type(value) is int and abs(value) <= LARGEST


def _is_number(_: Any, value: Any) -> bool:
    """No NaN, of which JSON knows nothing."""
    return type(value) in (int, float) and abs(value) <= LARGEST


CHECKER = Draft202012Validator.TYPE_CHECKER.redefine_many(
    {"integer": _is_integer, "number": _is_number}
)
Validator = extend(Draft202012Validator, type_checker=CHECKER)


def complaint_about(config: Any, schema: dict[str, Any] | None = None) -> str | None:
    """The first thing that is wrong by the schema, as `where: what`; None if nothing is.

    Args:
        schema: that of the whole configuration if there is none.
    """
    error = best_match(Validator(schema or read_schema()).iter_errors(config))
    return one_line(_explain(error), 500) if error else None


def _explain(error: ValidationError) -> str:
    where = ".".join(str(step) for step in error.absolute_path) or "top level"
    schema: Any = error.schema
    found: Any = error.instance
    if error.validator == "additionalProperties":
        known = list(schema["properties"])
        unknown = next(key for key in found if key not in known)
        close = difflib.get_close_matches(str(unknown), known, 1)
        hint = f", did you mean {close[0]}?" if close else f", known are {', '.join(known)}"
        return f"{where}: unknown key {unknown!r}{hint}"
    if found is None and error.validator_value == "object":
        return f"{where}: nothing stands below it; write keys there, or take it out"
    if error.validator in ("maxItems", "maxLength"):
        return f"{where}: {len(found)} are more than the {error.validator_value} allowed"
    return f"{where}: {one_line(error.message, 300)}{_hint(error)}"


def _hint(error: ValidationError) -> str:
    """What to write instead, where that can be told."""
    if error.validator == "pattern" and error.json_path in ("$.runs", "$.datasets", "$.name"):
        return "; a name is of letters, digits, _, . and -, and begins with a letter or digit"
    wanted: Any = error.validator_value
    found = error.instance
    if error.validator != "type":
        return ""
    kinds = [wanted] if isinstance(wanted, str) else wanted
    if "string" in kinds and isinstance(found, (bool, int, float)):
        return ", put it in quotes if it is a name"
    if not isinstance(found, str):
        return ""
    if "boolean" in kinds:
        return ", write true or false (after --config: True or False)"
    with contextlib.suppress(ValueError, OverflowError):
        number = float(found)
        why = f"YAML reads {one_line(found, 60)} as text"
        if is_plain_number(found):
            why = "without quotes; after --config all within braces is text"
        if math.isfinite(number) and "number" in kinds:
            return f", write {number!r} ({why})"
        if number.is_integer() and "integer" in kinds:
            return f", write {int(number)} ({why})"
    return ""
