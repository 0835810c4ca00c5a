#!/usr/bin/env -S bash -p
# Run a Python script of the training environment on every MPI rank.
#
#   launch.sh --nodes N --tasks-per-node M --threads-per-rank T --mpi "mpirun …" --venv DIR \
#       [--log FILE] -- SCRIPT ARGS…
#
# Starts N x M ranks of `DIR/bin/python SCRIPT ARGS…`. The words of --mpi are the launcher and its
# own options, in which {hostfile} stands for the file of the job's hosts and {tasks_per_node} for M;
# `-n RANKS` is added. No words stand for mpirun: Slurm's plugin takes none for one rank a node. What is
# printed goes to FILE as well, but for progress bars, which are drawn only where the launcher's own
# stderr is a terminal. Every setting below yields to one that is set already, except the threads per
# rank, which the configuration fixes.
#
# In a job of the qsub executor N and M are those that were submitted, whatever the configuration says
# by now. The job's end is handed on to the ranks, so that they can save their work before it.
#
# When the process that started this script is gone, it and all ranks end within seconds: a driver that
# was killed leaves nothing behind that writes into what the next one makes.
# A rank that does nothing for ELBOFLOW_STALL_SECONDS (600), while the others wait for it, is named, and
# all ranks end.
#
# ELBOFLOW_GPU says what the ranks compute on: cuda insists on GPUs, none hides them, and auto, where it
# is not set, takes those that are there. ELBOFLOW_COLLECTIVES, horovod or torch, says what they add by.
set -euo pipefail

fail() {
    echo "launch.sh: $*" >&2
    exit 2
}

case ${1:-} in -h | --help) sed -n '/^# Run/,/^set/{/^set/!s/^# \{0,1\}//p}' "$0" && exit ;; esac

nodes='' tasks_per_node='' threads='' mpi='' venv='' log=''
while [[ $# -gt 0 && $1 != -- ]]; do
    [[ $# -ge 2 ]] || fail "$1 needs a value"
    case $1 in
        --nodes) nodes=$2 ;;
        --tasks-per-node) tasks_per_node=$2 ;;
        --threads-per-rank) threads=$2 ;;
        --mpi) mpi=$2 ;;
        --venv) venv=$2 ;;
        --log) log=$2 ;;
        *) fail "unknown option $1" ;;
    esac
    shift 2
done
[[ $# -ge 2 ]] || fail "no script: end the options with -- SCRIPT"
shift

nodes=${SNAKEMAKE_QSUB_NODES:-$nodes}
tasks_per_node=${SNAKEMAKE_QSUB_TASKS_PER_NODE:-$tasks_per_node}
for count in "$nodes" "$tasks_per_node" "$threads"; do
    [[ $count =~ ^[1-9][0-9]*$ ]] ||
        fail "--nodes, --tasks-per-node and --threads-per-rank must be whole numbers above 0, not '$count'"
done
gpu=${ELBOFLOW_GPU:-auto}
[[ $gpu =~ ^(auto|cuda|none)$ ]] || fail "ELBOFLOW_GPU must be auto, cuda or none, not '$gpu'"
collectives=${ELBOFLOW_COLLECTIVES:-horovod}
[[ $collectives =~ ^(horovod|torch)$ ]] ||
    fail "ELBOFLOW_COLLECTIVES must be horovod or torch, not '$collectives'"
stall_seconds=${ELBOFLOW_STALL_SECONDS:-600}
[[ $stall_seconds =~ ^[1-9][0-9]*$ ]] ||
    fail "ELBOFLOW_STALL_SECONDS must be a whole number above 0, not '$stall_seconds'"
[[ -x $venv/bin/python ]] ||
    fail "no training environment that works at '$venv': build it with \`snakemake --cores 2 --forcerun build_environment\`"
[[ $collectives == torch ]] ||
    "$venv/bin/python" -Ic 'import importlib.util as u, sys; sys.exit(u.find_spec("horovod") is None)' ||
    fail "the training environment at '$venv' has no Horovod: it was built for environment.collectives: torch"
[[ -f $1 ]] || fail "no script at '$1'"
ranks=$((nodes * tasks_per_node))

# The scheduler's word on which hosts the job has: one a line, with more words behind it or repeated.
hostfile=${SNAKEMAKE_QSUB_HOSTFILE:-}
if [[ -n $hostfile ]]; then
    [[ -r $hostfile ]] || fail "the job's list of hosts '$hostfile' cannot be read"
    hosts=$(awk 'NF && !seen[$1]++ { count++ } END { print count + 0 }' "$hostfile")
    [[ $hosts -eq $nodes ]] ||
        fail "$nodes nodes were submitted and the scheduler gave $hosts: $(sort -u "$hostfile" | tr '\n' ' ')"
fi
venv=$(CDPATH='' cd -- "$venv" && pwd)
scripts=$(CDPATH='' cd -- "$(dirname "$0")" && pwd)
stale=$("$venv/bin/python" -IS "$scripts/elboflow/environment/surroundings.py")
export -n SHELLOPTS BASHOPTS
# shellcheck disable=SC2086 # names, one a line
unset $stale ELBOFLOW_NODES ELBOFLOW_BEGAN ELBOFLOW_DEADLINE ELBOFLOW_CONTINUE ELBOFLOW_PROGRESS_BAR

# Slurm is asked for a job's hosts and end: older versions do not tell the job its end, and Snakemake's
# Slurm plugin leaves it little but its id, with which mpirun finds no host.
deadline=${SNAKEMAKE_QSUB_DEADLINE:-} placed=$hostfile
if [[ -n ${SLURM_JOB_ID:-} ]]; then
    told=$(SLURM_TIME_FORMAT=%s squeue --noheader --jobs "$SLURM_JOB_ID" --format '%D %N %S %e') ||
        echo "launch.sh: squeue does not say which hosts the job $SLURM_JOB_ID has, and until when" >&2
    read -r given names started ends <<<"$told"
    [[ $nodes -le ${given:-$nodes} ]] || fail "$nodes nodes were asked for and the Slurm job has $given: $names"
    if [[ -n $names ]]; then
        export SLURM_JOBID=$SLURM_JOB_ID SLURM_NODELIST=$names SLURM_JOB_NODELIST=$names
        export SLURM_NNODES=$given SLURM_TASKS_PER_NODE="$tasks_per_node(x$given)"
        placed=$names
    fi
    # Two minutes for saving, or half of a shorter job.
    if [[ $started$ends =~ ^[0-9]+$ ]]; then
        margin=$(((ends - started) / 2))
        deadline=$((ends - (margin < 120 ? margin : 120)))
    fi
fi

# An environment with an MPI of its own was built against it; any other mpirun would start strangers.
[[ -x $venv/bin/mpirun ]] && export PATH="$venv/bin:$PATH"
[[ $mpi == *{hostfile}* && -z $hostfile ]] &&
    fail "--mpi asks for {hostfile}, and this is no job of the qsub executor: name another in the profile's mpi"
mpi=${mpi:-mpirun}
mpi=${mpi//\{tasks_per_node\}/$tasks_per_node}
read -ra launcher <<<"$mpi"
launcher=("${launcher[@]//\{hostfile\}/$hostfile}")
command -v "${launcher[0]:-}" >/dev/null ||
    fail "MPI launcher '${launcher[0]:-}' not found: load the site's MPI module, or name another in the profile's mpi"

# mpirun warns of a variable that it is to hand on and that is not there.
[[ $mpi == *"-x LD_LIBRARY_PATH"* ]] && export LD_LIBRARY_PATH="${LD_LIBRARY_PATH-}"

# Under nohup a closed terminal ends nothing. Launchers take its signal all the same, unless it is blocked.
block='import os, signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGHUP]); os.execvp(sys.argv[1], sys.argv[1:])'
[[ -n $(trap -p HUP) ]] && launcher=("$venv/bin/python" -IS -c "$block" "${launcher[@]}")

# For mpirun, in the names that Open MPI 4 and 5 read. Polling ranks that never yield halve the
# speed where cores are scarce; binding would pin several jobs of one machine to the same cores.
: "${OMPI_ALLOW_RUN_AS_ROOT=1}" "${OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1}"
: "${OMPI_MCA_mpi_yield_when_idle=1}"
: "${OMPI_MCA_rmaps_base_oversubscribe=1}" "${PRTE_MCA_rmaps_default_mapping_policy=:oversubscribe}"
: "${OMPI_MCA_hwloc_base_binding_policy=none}" "${PRTE_MCA_hwloc_default_binding_policy=none}"
export "${!OMPI_@}" "${!PRTE_@}"

# For the ranks. Horovod wakes up every HOROVOD_CYCLE_TIME milliseconds: its default of 1 is as
# long as a training step on small images. One rank, whose steps add nothing up, is left to compute:
# waking up so often takes a tenth of a core.
: "${HOROVOD_CYCLE_TIME=$([[ $ranks == 1 ]] && echo 10 || echo 0.2)}"
settings=(
    "ELBOFLOW_RANKS=$ranks" "ELBOFLOW_BEGAN=$(date +%s)" "ELBOFLOW_GPU=$gpu"
    "ELBOFLOW_COLLECTIVES=$collectives"
    "OMP_NUM_THREADS=$threads" "MKL_NUM_THREADS=$threads" "OPENBLAS_NUM_THREADS=$threads"
)
[[ $gpu == none ]] && settings+=("CUDA_VISIBLE_DEVICES=") # hidden from libraries as well
[[ -n $placed ]] && settings+=("ELBOFLOW_NODES=$nodes")
[[ -n $deadline ]] && settings+=("ELBOFLOW_DEADLINE=$deadline")
[[ -n ${SNAKEMAKE_QSUB_CONTINUE:-} ]] && settings+=("ELBOFLOW_CONTINUE=$SNAKEMAKE_QSUB_CONTINUE")
[[ -t 2 ]] && settings+=(ELBOFLOW_PROGRESS_BAR=1)
for name in "${!HOROVOD_@}" "${!GLOO_@}"; do settings+=("$name=${!name}"); done

# A redrawn line ends in a carriage return each time; only its last state belongs into the log. Where
# that cannot be written the work goes on, so somebody must go on reading.
no_log() {
    echo "launch.sh: $log cannot be written and ends here; the work goes on" >&2
    cat >/dev/null
}
[[ -n $log ]] && exec > >(tee >(sed -u 's/.*\r//' >"$log" || no_log)) 2>&1

# Neither the launcher nor a rank outlives what started it, and none waits without end for a rank that
# stands still. The ranks' signs of life lie where all hosts see them.
signs=${log:-.launch}
[[ $signs == /* ]] || signs=$PWD/$signs
signs=$(mktemp -d "$signs.ranks.XXXXXX") || fail "no folder for the ranks' signs of life"
"$venv/bin/python" -Es "$scripts/watchdog.py" "$PPID" "$$" \
    --signs "$signs" --ranks "$ranks" --stall-seconds "$stall_seconds" &
settings+=("ELBOFLOW_SIGNS=$signs" "ELBOFLOW_STALL_SECONDS=$stall_seconds")

# Through env, since mpirun hands a shell's variables to its own host only. And exec, so that
# Ctrl-C and a scheduler's signals reach mpirun itself, which then ends the ranks. Another host has
# an environment of its own, which is cleared there.
# shellcheck disable=SC2016 # what a rank's own shell reads
exec "${launcher[@]}" -n "$ranks" env "${settings[@]}" sh -c '
    rank=${OMPI_COMM_WORLD_RANK:-${PMIX_RANK:-${PMI_RANK:-$(uname -n)-$$}}}
    export ELBOFLOW_SIGN="$ELBOFLOW_SIGNS/$rank"
    "$1" -Es "$0" "$PPID" "$$" --sign "$ELBOFLOW_SIGN" --stall-seconds "$ELBOFLOW_STALL_SECONDS" \
        >/dev/null 2>&1 &
    exec "$@"' \
    "$scripts/watchdog.py" "$venv/bin/python" -IS "$scripts/elboflow/environment/surroundings.py" "$venv/bin/python" -Esu "$@"
