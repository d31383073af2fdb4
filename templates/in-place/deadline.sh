#!/bin/sh
# Part of the new system, on trial, or of its newest kernel: restarts it, and so goes back to what every boot takes, unless FILE
# exists in time. The time is the kernel argument k3os-migrate.deadline=SECONDS, counted from the start of the kernel.
#   deadline FILE
set -eu
seconds=900
# shellcheck disable=SC2013 # kernel arguments are words
for word in $(cat /proc/cmdline); do
  case $word in k3os-migrate.deadline=*) seconds=${word#*=} ;; esac
done
while read -r up _ </proc/uptime && [ "${up%.*}" -lt "$seconds" ]; do
  [ ! -e "${1:?}" ] || exit 0
  sleep 2
done
[ ! -e "$1" ] || exit 0
echo "k3os-migrate: not confirmed within $seconds s, restarting" >/dev/kmsg || true
sync
systemctl --no-block reboot || true
# An orderly restart can wait for ever, for a disk or for itself.
sleep 90
echo s >/proc/sysrq-trigger
sleep 2
echo b >/proc/sysrq-trigger
