#!/bin/sh
# Part of the initial RAM disk (initramfs-tools, local-bottom). The kernel argument beside=/os/ID makes that folder of the
# file system with the label K3OS_STATE the root; the file system itself stays at /state. Without the argument it does nothing.
case ${1:-} in prereqs) exit 0 ;; esac

beside=
# shellcheck disable=SC2013 # kernel arguments are words
for word in $(cat /proc/cmdline); do
  case $word in beside=*) beside=${word#beside=} ;; esac
done
[ -n "$beside" ] || exit 0

# shellcheck disable=SC1091 # lies in the RAM disk; its panic() restarts the machine when the kernel was given panic=
. /scripts/functions
# shellcheck disable=SC2154 # set by initramfs-tools
root=$rootmnt
[ -d "$root$beside/state" ] || panic "k3os-migrate: there is no $beside/state on the root file system"
# Without it initramfs-tools would make a shell the first process, which waits on the console for ever and never goes back to k3OS.
[ -s "$root$beside/usr/lib/systemd/systemd" ] || panic "k3os-migrate: $beside has no first process"

mkdir -p /beside
mount -n -o move "$root" /beside || panic "k3os-migrate: STATE cannot be moved aside"
mount -n -o bind "/beside$beside" "$root" || panic "k3os-migrate: $beside cannot become the root"
mount -n -o move /beside "$root/state" || panic "k3os-migrate: STATE cannot be moved to /state"
