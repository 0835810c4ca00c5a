#!/bin/sh
# Look at pages in a headless Chromium: those of made-up experiments, or of the folder that is given.
set -eu
pages=${1:+$(realpath "$1")}
cd "$(dirname "$0")"
if ! sh packages.sh; then
    echo "the browser tests are left out: they need Chromium (or its path in CHROMIUM), Node and npm" >&2
    [ "${CI:-}" != true ] || exit 1
    exit 0
fi

# Kept by version, so that a second clone needs no network.
kept="${XDG_CACHE_HOME:-$HOME/.cache}/elboflow/browser/$(sha256sum <package-lock.json | cut -c 1-16)"
if [ ! -d "$kept" ]; then
    mkdir -p "$kept.$$"
    cp package.json package-lock.json .npmrc "$kept.$$"
    npm ci --prefix "$kept.$$" --ignore-scripts --no-audit --no-fund
    mv "$kept.$$" "$kept"
fi
ln -sfn "$kept/node_modules" node_modules

if [ -z "$pages" ]; then
    made_up=$(mktemp -d)
    trap 'rm -rf "$made_up"' EXIT
    python write_pages.py "$made_up" 3 200
    pages=$made_up/3/results
    many=$made_up/200/results/report.html
fi
PAGES=$pages MANY=${many:-} node --test --test-reporter=spec pages.test.js tables.test.js
