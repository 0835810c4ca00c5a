#!/bin/sh
# The controller's bin/snakemake. pip's own names its interpreter in its first line, which must not
# be long, and sees the modules that a shell's PYTHONPATH names.

cache=${XDG_CACHE_HOME:-${HOME:+$HOME/.cache}}
if [ -n "$cache" ] && ! { mkdir -p "$cache" && [ -w "$cache" ]; } 2>/dev/null; then
    echo "The cache folder $cache cannot be written: set XDG_CACHE_HOME to one that can" >&2
    exit 1
fi
exec "$(dirname "$(readlink -f "$0")")/python" -I -m snakemake "$@"
