#!/bin/bash
# The first process of a host: gives it a name, what it sees of the file system, and then sleeps.
# usage: host.sh FOLDER NAME SHOWN...; started by linux_hosts.py in namespaces of its own. SHOWN are
# folders that ordinary users must be able to read.
set -eu
folder=$1 name=$2
shift 2
read -r pid _ </proc/self/stat # the number that the world outside knows this process by

hostname "$name"
mount --bind "$folder/hosts" /etc/hosts
mount --bind "$folder/nsswitch.conf" /etc/nsswitch.conf
mount --bind "$folder/gridengine" /var/lib/gridengine
mount --bind "$folder/spool" /var/spool/gridengine
[ ! -d /etc/slurm ] || mount --bind "$folder/slurm" /etc/slurm
mount -t tmpfs -o mode=1777 tmpfs /dev/shm
mount -t tmpfs -o mode=1777 tmpfs "$folder/local"
[ "$$" -ne 1 ] || mount -t proc proc /proc

# What lies under a closed folder, a home say, is shown without the rest of that folder.
closed_above() {
    local closed='' above=$1
    while [ "$above" != / ]; do
        [ -n "$(find "$above" -maxdepth 0 -perm -001)" ] || closed=$above
        above=$(dirname "$above")
    done
    echo "$closed"
}
closed=() hidden=()
for path in "$@"; do
    above=$(closed_above "$path")
    [ -n "$above" ] || continue
    mkdir -p "$folder/shown/${#hidden[@]}"
    mount --bind "$path" "$folder/shown/${#hidden[@]}"
    closed+=("$above") hidden+=("$path")
done
for number in "${!hidden[@]}"; do
    [ -n "$(find "${closed[number]}" -maxdepth 0 -perm -001)" ] ||
        mount -t tmpfs -o mode=755 tmpfs "${closed[number]}"
    mkdir -p "${hidden[number]}"
    mount --move "$folder/shown/$number" "${hidden[number]}"
done

echo "$pid" >"$folder/$name.new"
mv "$folder/$name.new" "$folder/$name.pid"
sleep infinity &
wait
