#!/bin/sh
# OPENRC FILES COMMANDS: runs the commands in a root that is this machine's, with OpenRC and the files laid over it, and busybox
# for its shell. To be called in namespaces of its own; nothing of it stays.
set -eu
mount --make-rprivate /
mount -t tmpfs tmpfs /mnt
mkdir -p /mnt/over /mnt/root
cp -a "$1/." /mnt/over
cp -a "$2/." /mnt/over
cp "$(command -v busybox)" /mnt/over/usr/bin/sh
# Debian's OpenRC also asks for this.
: >/mnt/over/etc/insserv.conf
mkdir -p /mnt/over/etc/runlevels/default
mount -t overlay -o lowerdir=/mnt/over:/ overlay /mnt/root
mount -t tmpfs tmpfs /mnt/root/run
for state in daemons exclusive failed hotplugged inactive options scheduled started starting stopping tmp wasinactive; do
  mkdir -p "/mnt/root/run/openrc/$state"
done
: >/mnt/root/run/openrc/softlevel
mount -t tmpfs tmpfs /mnt/root/var/log
mount -t proc proc /mnt/root/proc
mount --bind /dev /mnt/root/dev
exec chroot /mnt/root /bin/sh -c "$3"
