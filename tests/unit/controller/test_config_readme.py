"""config/README.md has the tables of keys that `make keys` writes from the schema."""

import pytest

from key_tables import README, allowed, default, with_tables


def test_the_tables_are_those_of_the_schema() -> None:
    text = README.read_text(encoding="utf-8")
    assert with_tables(text) == text, (
        "run `make keys`: config/README.md is not what the schema says"
    )


def test_what_is_written_by_hand_stays() -> None:
    text = README.read_text(encoding="utf-8")
    stale = "Above.\n" + text.replace("| `seeds` | list", "| `seeds` | a set") + "Below.\n"
    assert with_tables(stale) == f"Above.\n{text}Below.\n"


@pytest.mark.parametrize(
    "marker", ["<!-- keys: workflow, by make keys -->", "<!-- end of keys -->"]
)
def test_a_table_whose_markers_are_gone_is_missed(marker: str) -> None:
    text = README.read_text(encoding="utf-8")
    with pytest.raises(ValueError, match="the tables marked are"):
        with_tables(text.replace(marker, "", 1))


@pytest.mark.parametrize(
    ("leaf", "words"),
    [
        ({"enum": ["tanh", "relu"]}, "`tanh`, `relu`"),
        ({"type": "boolean"}, "boolean"),
        ({"type": "object"}, "mapping"),
        ({"type": ["string", "null"]}, "string, or null"),
        ({"type": "integer", "minimum": 0, "maximum": 9}, "integer from 0 to 9"),
        ({"type": "number", "exclusiveMinimum": 0, "maximum": 1}, "number > 0 and ≤ 1"),
        ({"type": "array", "items": {"type": "string"}}, "list of strings"),
        (
            {"type": "array", "items": {"type": "integer", "minimum": 1}, "maxItems": 9},
            "list of at most 9 integers, each ≥ 1",
        ),
        (
            {
                "type": ["array", "null"],
                "items": {"type": "integer", "minimum": 1, "maximum": 5},
                "minItems": 1,
                "maxItems": 9,
                "uniqueItems": True,
            },
            "list of 1 to 9 different integers, each from 1 to 5, or null",
        ),
    ],
)
def test_what_a_key_may_be_is_said_in_words(leaf: dict[str, object], words: str) -> None:
    assert allowed(leaf) == words


@pytest.mark.parametrize(
    ("leaf", "words"),
    [
        ({}, "required"),
        ({"default": None}, "`null`"),
        ({"default": [1, 2]}, "`[1, 2]`"),
        ({"default": "tanh"}, "`tanh`"),
        ({"default": 1e-8}, "`1.0e-08`"),  # 1e-08 would be text
    ],
)
def test_a_default_is_shown_as_a_configuration_would_say_it(leaf, words) -> None:
    assert default(leaf) == words
