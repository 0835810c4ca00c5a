"""The variables that qsub of the PBS stand-in sends along with a job."""

import os
from collections.abc import Iterator
from pathlib import Path

from stand_in import state
from stand_in.state import Refused

FROM_SUBMITTER = ("HOME", "LANG", "LOGNAME", "PATH", "MAIL", "SHELL", "TZ")


def working_folder() -> str:
    """Return $PWD where it is the current folder, as it may hold fewer resolved links."""
    here, shown = Path.cwd(), os.environ.get("PWD", "")
    return shown if shown and Path(shown).exists() and Path(shown).samefile(here) else str(here)


def of_job(queue: str, requested: str) -> dict[str, str]:
    """Return the job's variables; requested: the value of -v."""
    variables = {f"PBS_O_{name}": os.environ[name] for name in FROM_SUBMITTER if name in os.environ}
    variables["PBS_O_INTERACTIVE_AUTH_METHOD"] = "resvport"
    variables["PBS_O_INTERACTIVE_ENCRYPT_METHOD"] = ""
    variables["PBS_O_WORKDIR"] = working_folder()
    variables["PBS_O_SYSTEM"] = os.uname().sysname
    variables |= named(requested)
    return variables | {"PBS_O_QUEUE": queue, "PBS_O_HOST": state.server()}


def named(requested: str) -> dict[str, str]:
    """Return the variables of a list like `A=b,C="d,e",F`; F has the submitter's value."""
    variables = {}
    for item in split(requested):
        name, equals, value = item.partition("=")
        if not name or (not equals and name not in os.environ):
            raise Refused("cannot send environment with the job", 1)
        if not name.startswith("PBS_O_"):
            variables[name] = value if equals else os.environ[name]
    return variables


def split(text: str) -> Iterator[str]:
    """Yield what stands between commas, except those in quotes or behind a backslash."""
    item, quote, characters = "", "", iter(text)
    for character in characters:
        if quote and character == quote:
            quote = ""
        elif not quote and character in "'\"":
            quote = character
        elif character == "\\":
            following = next(characters, "")
            item += following if following == "," else character + following
        elif character == "," and not quote:
            yield item
            item = ""
        else:
            item += character
    if quote:
        raise Refused("cannot send environment with the job", 1)
    if item:
        yield item
