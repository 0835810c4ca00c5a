#!/bin/sh
# Install what the cluster tests need and Debian has: Grid Engine, Slurm, Open MPI that knows both, iproute2.
set -eu
packages='gridengine-master gridengine-exec gridengine-client openmpi-bin libopenmpi-dev iproute2
    slurmctld slurmd slurm-client'
# shellcheck disable=SC2086
dpkg --status $packages >/dev/null 2>&1 && exit
if [ ! -e /etc/debian_version ] || [ "$(id -u)" -ne 0 ]; then
    echo "the cluster tests need Debian and root: their packages are $packages" >&2
    exit 1
fi
export DEBIAN_FRONTEND=noninteractive
apt-get -qq update
# shellcheck disable=SC2086
apt-get -qq install --no-install-recommends $packages
