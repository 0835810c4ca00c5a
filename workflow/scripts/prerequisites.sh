#!/bin/sh
# Name everything that is missing to set up ELBOFlow, one line each, with Debian's package.
#
#   prerequisites.sh [PYTHON]      (default: python3)      CXX names another compiler than g++
#
# With COLLECTIVES=torch no Horovod is compiled, and neither a compiler nor Python's headers are asked for.
#
# Silent, with exit status 0, when nothing is missing.
set -u

python=${1:-python3}
compiler=${CXX:-g++}
missing=0
for_horovod=0

report() {
    echo "$1" >&2
    missing=1
}

# What Horovod alone is compiled with.
report_for_horovod() {
    [ "${COLLECTIVES-}" = torch ] && return
    report "$1"
    for_horovod=1
}

have() {
    command -v "$1" >/dev/null 2>&1
}

check_python() {
    if ! have "$python"; then
        report "Python 3.11 or newer is missing: no '$python' (Debian: python3)"
        return
    fi
    version=$("$python" -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])' 2>/dev/null)
    if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        report "Python 3.11 or newer is missing: '$python' is ${version:-broken} (Debian: python3 of Debian 12 or newer)"
        return
    fi
    case $python in
        python | python3 | */python | */python3) package=python3 ;;
        *) package=python${version%.*} ;;
    esac
    headers='import os, sys, sysconfig as s; sys.exit(not os.path.exists(s.get_path("include") + "/Python.h"))'
    "$python" -c "$headers" || report_for_horovod "Python's headers (Python.h) are missing (Debian: $package-dev)"
    "$python" -c 'import venv, ensurepip' 2>/dev/null ||
        report "Python's venv module is missing (Debian: $package-venv)"
}

# $compiler unquoted throughout: CXX may hold several words, as in "ccache g++".
check_compiler() {
    # shellcheck disable=SC2086
    version=$($compiler -dumpfullversion -dumpversion 2>/dev/null)
    if [ -z "$version" ]; then
        report_for_horovod "A C++ compiler is missing: no '$compiler' (Debian: g++)"
        return
    fi
    major=${version%%.*}
    [ "$major" -ge 11 ] 2>/dev/null ||
        report_for_horovod "g++ 11 or newer is missing: '$compiler' is $version (Debian: g++ of Debian 12 or newer; or name a newer one in CXX)"
}

check_cache() {
    cache=${XDG_CACHE_HOME:-${HOME:-}/.cache}
    folder=$cache
    while [ -n "$folder" ] && [ ! -e "$folder" ]; do folder=${folder%/*}; done
    { [ -d "${folder:-/}" ] && [ -w "${folder:-/}" ]; } ||
        report "The cache folder $cache cannot be written: set XDG_CACHE_HOME to one that can"
}

check_python
have make || report "make is missing (Debian: make)"
have git || report "git is missing (Debian: git)"
check_compiler
check_cache
[ $for_horovod = 0 ] ||
    echo "Compiler and headers are for Horovod: COLLECTIVES=torch after make's words does without them" >&2
exit $missing
