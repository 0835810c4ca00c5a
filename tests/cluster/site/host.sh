#!/bin/bash
# The first process of a host: gives it a name, what it sees of the file system, and then sleeps.
# usage: host.sh FOLDER NAME PYTHON; started by grid_engine.py in namespaces of its own.
set -eu
folder=$1 name=$2 python=$3
read -r pid _ </proc/self/stat # the number that the world outside knows this process by

hostname "$name"
mount --bind "$folder/hosts" /etc/hosts
mount --bind "$folder/nsswitch.conf" /etc/nsswitch.conf
mount --bind "$folder/gridengine" /var/lib/gridengine
mount --bind "$folder/spool" /var/spool/gridengine
mount -t tmpfs -o mode=1777 tmpfs /dev/shm
mount -t tmpfs -o mode=1777 tmpfs "$folder/local"
[ "$$" -ne 1 ] || mount -t proc proc /proc

# An interpreter under a closed home directory is shown without the rest of that directory.
closed=$python
while [ "$closed" != / ] && [ -n "$(find "$closed" -maxdepth 0 -perm -001)" ]; do
    closed=$(dirname "$closed")
done
if [ "$closed" != / ]; then
    mount --bind "$python" "$folder/python"
    mount -t tmpfs -o mode=755 tmpfs "$closed"
    mkdir -p "$python"
    mount --move "$folder/python" "$python"
fi

echo "$pid" >"$folder/$name.new"
mv "$folder/$name.new" "$folder/$name.pid"
sleep infinity &
wait
