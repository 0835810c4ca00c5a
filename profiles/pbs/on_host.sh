#!/bin/sh
# Starts a command on another host of the job, as ssh does, but through PBS: no keys are needed, and
# PBS ends with the job whatever it has started. usage: on_host.sh HOST COMMAND…
command -v pbs_tmrsh >/dev/null || exec ssh -x "$@"
host=$1
shift
# A task of PBS begins with the job's first variables: it has not read prelude.sh.
exec pbs_tmrsh "$host" env PATH="$PATH" LD_LIBRARY_PATH="${LD_LIBRARY_PATH-}" sh -c "$*"
