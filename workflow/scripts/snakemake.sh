#!/bin/sh
# The controller's bin/snakemake. pip's own names its interpreter in its first line, which must not
# be long, and sees the modules that a shell's PYTHONPATH names.
exec "$(dirname "$(readlink -f "$0")")/python" -I -m snakemake "$@"
