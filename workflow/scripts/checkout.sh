#!/bin/sh
# Say in one line why a folder cannot hold a checkout, or an environment; else nothing.
#
#   checkout.sh FOLDER
#
# Snakemake puts the path of its Python unquoted into a shell's line, and PATH ends a folder at a colon.
set -eu

case $1 in
    *[[:space:][:cntrl:]\'\"\$\`\\\&\;\|\<\>\(\)\{\}\[\]*?:]*) ;;
    *) printf %s "$1" | iconv -f UTF-8 -t UTF-8 >/dev/null 2>&1 && exit 0 ;;
esac
printf "%s cannot be used: a path must be UTF-8 and have no blanks, line breaks or any of '\"\$\`\\\\&;|<>(){}[]*?: here; %s\n" \
    "$(printf %s "$1" | tr '[:cntrl:]' '?')" "move it to another" >&2
exit 1
