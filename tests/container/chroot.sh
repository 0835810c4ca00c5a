#!/bin/sh
# Try workflow/envs/elboflow.def where there is no Apptainer: what it says is done in a chroot, in which two
# ranks then pass the smoke test, started by this host's mpirun. Debian 12, root, debootstrap; minutes.
#     sh tests/container/chroot.sh FOLDER [horovod|torch]
# BIND: a folder that pip's settings name, as one of wheels.
set -eu
root=${1:?folder to make the image in} collectives=${2:-torch}
cd "$(dirname "$0")/../.."
definition=workflow/envs/elboflow.def
root=$(mkdir -p "$root" && cd "$root" && pwd)/elboflow.sif

if [ ! -e "$root/opt/elboflow/build.json" ]; then
    [ -e "$root/etc/debian_version" ] ||
        debootstrap --variant=minbase --include=ca-certificates bookworm "$root"
    # How this machine reaches its network.
    for file in /etc/resolv.conf /etc/hosts /etc/pip.conf /etc/ssl/certs/ca-certificates.crt; do
        [ ! -e "$file" ] || cp "$file" "$root$file"
    done
    sed -n '/^%files/,/^%post/s/^ \{4\}//p' "$definition" | while read -r from to; do
        mkdir -p "$root$to" && cp -R "$from/." "$root$to"
    done
    sed -n '/^%post/,/^%test/s/^ \{4\}//p' "$definition" |
        sed "s/{{ COLLECTIVES }}/$collectives/g; s/{{ GPU }}/none/g" >"$root/post.sh"
    tests/container/apptainer exec ${BIND:+--bind "$BIND"} --pwd / "$root" sh /post.sh
fi

results=$root.results
python=${PYTHON:-python3} PATH=$PWD/tests/container:$PATH
export PATH
rm -rf "$results"
"$python" workflow/scripts/build_environment.py --collectives "$collectives" --torch pinned \
    --container "$root" --pins workflow/envs/*.txt --venv "$results/environment/venv" \
    --build-json "$results/environment/build.json" --packages "$results/environment/packages.txt" \
    --log "$results/build.log"
cat "$results/environment/build.json"
ELBOFLOW_COLLECTIVES=$collectives ELBOFLOW_GPU=none \
    workflow/scripts/launch.sh --nodes 1 --tasks-per-node 2 --threads-per-rank 1 --mpi mpirun \
    --venv "$results/environment/venv" -- workflow/scripts/smoke_test.py --repeats 20 \
    --ranks-csv "$results/ranks.csv" --allreduce-csv "$results/allreduce.csv"
cat "$results/ranks.csv"
