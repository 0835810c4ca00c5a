"""Run the pip of this interpreter with no settings but those that say where packages come from.

    PYTHON -I site_pip.py COMMAND ARGUMENTS…

A user's pip.conf or PIP_… may ask for another place to install to (user, target, prefix), for other
versions or for none of the dependencies. A site's say where its mirror is, and with which
certificates it is reached: these are handed on.
"""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping

SOURCES = {
    *("index-url", "extra-index-url", "no-index", "find-links", "trusted-host", "proxy"),
    *("cert", "client-cert", "timeout", "default-timeout", "retries", "keyring-provider"),
    *("cache-dir", "no-cache-dir", "use-feature", "use-deprecated", "disable-pip-version-check"),
}


def environment(
    variables: Mapping[str, str], configured: Iterable[str], command: str
) -> dict[str, str]:
    """The variables that pip runs under: no pip.conf is read, and what it says of sources is here.

    Args:
        configured: lines of `pip config list`, as global.index-url='https://…'.
        command: of pip, which may have a section of its own in pip.conf.
    """
    own = {name: value for name, value in variables.items() if not name.startswith("PIP_")}
    sections: dict[str, dict[str, str]] = {"global": {}, command: {}}
    for line in configured:
        found = re.fullmatch(r"([\w-]+)\.([\w-]+)=(['\"].*)", line)
        if found and found[1] in sections and found[2] in SOURCES:
            sections[found[1]][f"PIP_{found[2].upper().replace('-', '_')}"] = found[3]
    for section in sections.values():
        own |= {name: ast.literal_eval(value) for name, value in section.items()}
    names = {f"PIP_{name.upper().replace('-', '_')}" for name in SOURCES}
    own |= {name: value for name, value in variables.items() if name in names}
    return {**own, "PIP_CONFIG_FILE": os.devnull}


def main() -> None:
    pip = [sys.executable, "-I", "-m", "pip"]
    for_files = {n: v for n, v in os.environ.items() if not n.startswith("PIP_")}
    for_files |= {n: v for n, v in os.environ.items() if n == "PIP_CONFIG_FILE"}
    # -vvv outweighs a `quiet` in the files themselves.
    listed = subprocess.run(
        [*pip, "config", "list", "-vvv"], env=for_files, capture_output=True, text=True
    )
    own = environment(os.environ, listed.stdout.splitlines(), sys.argv[1])
    os.execve(sys.executable, [*pip, *sys.argv[1:]], own)


if __name__ == "__main__":
    main()
