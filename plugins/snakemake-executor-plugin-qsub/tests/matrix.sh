#!/bin/sh
# Try this plugin with the oldest or the newest Snakemake and interfaces that pyproject.toml allows, in an
# environment of its own:
#     sh tests/matrix.sh oldest|newest [words for pytest]
# PYTHON is the interpreter.
set -eu
which=${1:?oldest or newest}
shift
cd "$(dirname "$0")/.."
environment=$(mktemp -d)
trap 'rm -rf "$environment"' EXIT
"${PYTHON:-python3}" -m venv "$environment"
"$environment/bin/python" - "$which" >"$environment/constraints.txt" <<'END'
import sys, tomllib
for wanted in tomllib.load(open("pyproject.toml", "rb"))["project"]["dependencies"]:
    print(wanted.split(",")[0].replace(">=", "==") if sys.argv[1] == "oldest" else wanted)
END
"$environment/bin/pip" install --quiet --constraint "$environment/constraints.txt" . pytest pytest-xdist
"$environment/bin/pip" list | grep -i '^snakemake'
PATH=$environment/bin:$PATH "$environment/bin/python" -m pytest -p no:cacheprovider \
    --numprocesses 4 --dist worksteal "${@:-tests}" # they mostly wait
