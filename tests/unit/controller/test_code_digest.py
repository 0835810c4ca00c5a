"""What changes the digest of code, and what does not."""

import pytest

from elboflow.files.code_digest import digest

CODE = '''
"""Say what this is."""

import math


class Circle:
    """A circle."""

    def area(self, radius: float = 1.0) -> float:
        """pi r^2."""
        return math.pi * radius**2  # square units
'''
SAME = {
    "a comment": lambda code: code + "# more\n",
    "another docstring": lambda code: code.replace("pi r^2", "The area"),
    "no docstrings": lambda code: code.replace('"""pi r^2."""\n        ', "").replace(
        '"""Say what this is."""', ""
    ),
    "layout": lambda code: code.replace("math.pi * radius**2", "(\n    math.pi*radius ** 2)"),
    "quotes": lambda code: code.replace('"""A circle."""', "'A circle.'"),
}
OTHER = {
    "a number": lambda code: code.replace("**2", "**3"),
    "a default": lambda code: code.replace("1.0", "2.0"),
    "a type of number": lambda code: code.replace("1.0", "1"),
    "a name": lambda code: code.replace("radius", "r"),
    "an operator": lambda code: code.replace("math.pi *", "math.pi +"),
    "a keyword": lambda code: code.replace("return ", ""),
    "a string that is no docstring": lambda code: code.replace(
        "math\n", 'math\n\n"no docstring"\n'
    ),
    "an empty string": lambda code: code.replace("math\n", 'math\n\nx = ["", "a"]\n'),
    "a decorator": lambda code: code.replace("    def", "    @staticmethod\n    def"),
    "code that is none": lambda code: code + "def (\n",
}


@pytest.fixture
def digest_of(tmp_path):
    def find(name, content):
        path = tmp_path / name / "module.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(content)
        return digest([path])

    return find


@pytest.mark.parametrize("edit", SAME)
def test_what_python_does_not_see_changes_nothing(digest_of, edit):
    edited = SAME[edit](CODE)
    assert edited != CODE
    assert digest_of("edited", edited) == digest_of("before", CODE)


@pytest.mark.parametrize("edit", OTHER)
def test_every_change_of_code_is_seen(digest_of, edit):
    assert digest_of("edited", OTHER[edit](CODE)) != digest_of("before", CODE)


def test_other_files_count_with_every_byte(tmp_path):
    pins = tmp_path / "torch.txt"
    pins.write_text("torch==2\n")
    comment = tmp_path / "comment.txt"
    comment.write_text("torch==2\n# more\n")
    assert digest([pins]) != digest([comment])


def test_files_that_swap_their_contents_are_others(tmp_path):
    one, other = tmp_path / "one.py", tmp_path / "other.py"
    one.write_text("a = 1\n")
    other.write_text("a = 2\n")
    assert digest([one, other]) != digest([other, one])


def test_the_digest_is_the_same_in_every_version_of_python(digest_of):
    """As found with Python 3.11, 3.12 and 3.13: an update of Python trains nothing anew."""
    code = CODE + 'x = f"{1 + 1!r:>{3}}" or {**{}, 1: u"\\xe9"} or ["", "a"]\n'
    assert (
        digest_of("any", code) == "62bd56440e6e7455367fc3ff80918be79dd606ec54005c3bdb2aabe369cea785"
    )
