#!/bin/sh
# Build the OpenPBS for which the tests of this folder are: no distribution has it as a package.
#   build.sh [SOURCE]
# into /opt/pbs, in some 2 minutes; nothing is started. SOURCE: a folder of its sources, of a machine that
# has no internet, in place of those of the release. Needs Debian and root.
set -eu
version=23.06.06 prefix=/opt/pbs
[ ! -x "$prefix/sbin/pbs_server.bin" ] || exit 0
if [ ! -e /etc/debian_version ] || [ "$(id -u)" -ne 0 ]; then
    echo "build.sh: OpenPBS is built on Debian, by root" >&2
    exit 1
fi
export DEBIAN_FRONTEND=noninteractive
apt-get -qq update
apt-get -qq install --no-install-recommends autoconf automake ca-certificates curl g++ libtool make \
    libcjson-dev libedit-dev libexpat1-dev libhwloc-dev libical-dev libncurses-dev libpq-dev libssl-dev \
    libx11-dev libxext-dev libxft-dev libxt-dev pkg-config postgresql postgresql-server-dev-all \
    python3-dev swig tcl-dev tk-dev zlib1g-dev

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if [ $# -gt 0 ]; then
    cp -R "$1/." "$work"
else
    curl --fail --location --silent --show-error \
        "https://github.com/openpbs/openpbs/archive/refs/tags/v$version.tar.gz" | tar -xz --strip 1 -C "$work"
fi
cd "$work"
: >src/include/eval.h
./autogen.sh
PYTHON=/usr/bin/python3 ./configure --quiet --prefix="$prefix" --disable-ptl CFLAGS='-O1 -w'
make --silent -j "$(nproc)"
make --silent install
chmod 4755 "$prefix/sbin/pbs_iff" "$prefix/sbin/pbs_rcp"
