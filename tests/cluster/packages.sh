#!/bin/sh
# Install what the cluster tests need and Debian has: Grid Engine, Open MPI that knows it, iproute2.
set -eu
packages='gridengine-master gridengine-exec gridengine-client openmpi-bin libopenmpi-dev iproute2'
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
