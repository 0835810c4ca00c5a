#!/bin/sh
# The controller's bin/snakemake. pip's own names its interpreter in its first line, which must not
# be long, and sees the modules that a shell's PYTHONPATH names.

cache=${XDG_CACHE_HOME:-${HOME:+$HOME/.cache}}
if [ -n "$cache" ] && ! { mkdir -p "$cache" && [ -w "$cache" ]; } 2>/dev/null; then
    echo "The cache folder $cache cannot be written: set XDG_CACHE_HOME to one that can" >&2
    exit 1
fi

# Snakemake takes all words behind --configfile for files, and tells of one that is not there, or not
# UTF-8, by a traceback.
named=''
for word in "$@"; do
    file=''
    case $word in
        --configfile | --configfiles) named=yes ;;
        --configfile=* | --configfiles=*) file=${word#*=} ;;
        -*) named='' ;;
        *) [ -z "$named" ] || file=$word ;;
    esac
    [ -n "$file" ] || continue
    if [ -d "$file" ] || [ ! -r "$file" ]; then
        echo "--configfile: $file is no file that can be read (what is to be made goes before --configfile, or behind --)" >&2
        exit 1
    fi
    odd=$(LC_ALL=C.UTF-8 grep -naxv '.*' "$file" 2>/dev/null | head -n 1 | cut -d : -f 1)
    if [ -n "$odd" ]; then
        echo "--configfile: $file, line $odd: not UTF-8; save the file as such" >&2
        exit 1
    fi
done
exec "$(dirname "$(readlink -f "$0")")/python" -I -m snakemake "$@"
