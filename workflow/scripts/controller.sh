#!/bin/sh
# Make the controller's virtual environment, where there is none that works.
#
#   controller.sh VENV PYTHON
#
# Before anything is made, one line for each thing that nothing can work without. An environment whose
# clone was moved, or whose Python is gone, is made anew: its programs know it by the path that it had.
set -eu

venv=$1 python=$2
scripts=$(dirname "$0")
case $venv in /*) place=$venv ;; *) place=$PWD/$venv ;; esac

# Whether programs can be started from a folder, or below the first one that exists.
check_programs() {
    folder=$1
    while [ ! -d "$folder" ]; do folder=$(dirname "$folder"); done
    probe=$(mktemp "$folder/.probe.XXXXXX" 2>/dev/null) || {
        echo "$folder cannot be written: put the checkout elsewhere" >&2
        exit 1
    }
    trap 'rm -f "$probe"' EXIT
    printf '#!/bin/sh\n' >"$probe"
    chmod +x "$probe"
    "$probe" 2>/dev/null || {
        echo "$folder lies on a file system from which no programs start (noexec): put the checkout elsewhere" >&2
        exit 1
    }
    rm -f "$probe"
}

# Whether an environment's Python starts, and says that it was made here.
is_in_place() {
    "$venv/bin/python" -I -c '
import os, sys
with open(os.path.join(sys.prefix, "pyvenv.cfg")) as record:
    command = next(line.rstrip("\n") for line in record if line.startswith("command = "))
sys.exit(not command.endswith(" " + os.path.abspath(sys.argv[1])))' "$venv" 2>/dev/null
}

sh "$scripts/checkout.sh" "$PWD"
sh "$scripts/checkout.sh" "$place"
check_programs "$PWD"
is_in_place && exit
check_programs "$place"
sh "$scripts/prerequisites.sh" "$python"
if [ -e "$venv" ]; then
    # Not whatever else VENV may name. Those of earlier releases have no mark, but the list of packages.
    [ -e "$venv/.elboflow" ] || { [ -e "$venv/pyvenv.cfg" ] && [ -f "$venv/requirements" ]; } || {
        echo "$venv is no virtual environment that make has made: name another in VENV, or remove it" >&2
        exit 1
    }
    echo "$venv was made in another place, or with a Python that is gone: making it anew" >&2
    rm -rf "$venv"
fi
mkdir -p "$venv" && : >"$venv/.elboflow"
"$python" -I -m venv "$venv"
