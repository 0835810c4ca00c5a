#!/bin/sh
# Run Snakemake's linter and fail on all that it finds but for what is meant so:
# - conda: the environment is a rule of its own;
# - log: local rules that run a script print nothing.
# CONTRIBUTING.md says why.
set -eu
found=$(snakemake --lint 2>&1) || true
case $found in
    *"Lints for"* | *Congratulations*) ;;
    *)
        echo "$found" >&2
        exit 1
        ;;
esac
! echo "$found" | grep '^    \* ' | grep -v -e 'Specify a conda environment' -e 'No log directive'
