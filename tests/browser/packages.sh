#!/bin/sh
# Install what the browser tests need and Debian has: Chromium, Node and npm. Elsewhere say what is missing.
set -eu
missing() {
    for program in "${CHROMIUM:-chromium}" node npm; do
        command -v "$program" >/dev/null || printf ' %s' "$program"
    done
}
[ -z "$(missing)" ] && exit
if [ ! -e /etc/debian_version ] || [ "$(id -u)" -ne 0 ]; then
    echo "not installed:$(missing)" >&2
    exit 1
fi
export DEBIAN_FRONTEND=noninteractive
apt-get -qq update
for program in $(missing); do
    package=$program
    [ "$program" = node ] && package=nodejs
    apt-get -qq install --no-install-recommends "$package"
done
