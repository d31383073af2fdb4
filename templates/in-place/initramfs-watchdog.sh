#!/bin/sh
# Part of the initial RAM disk (initramfs-tools, init-premount): on trial, a machine that hangs from here on restarts by itself, by
# its own watchdog or, without one, by the kernel's, until systemd feeds it. Otherwise this does nothing.
case ${1:-} in prereqs) exit 0 ;; esac
case " $(cat /proc/cmdline)" in *' k3os-migrate.deadline='*) ;; *) exit 0 ;; esac

# udev has loaded the driver of one that the machine has.
[ -c /dev/watchdog0 ] || modprobe -q softdog || true

# Read by systemd, which takes it over. The kernel argument systemd.watchdog_sec would leave it running when the machine restarts
# (systemd src/core/main.c), and k3OS does not feed it.
mkdir -p /run/systemd/system.conf.d
printf '[Manager]\nRuntimeWatchdogSec=60\nRebootWatchdogSec=off\n' >/run/systemd/system.conf.d/k3os-migrate-trial.conf

# Fed for five minutes: watchdogs bite after 15 to 60 s, and finding the root may take longer. It ends sooner when /dev moves away,
# with the root.
feed() {
  left=60
  while [ "$left" -gt 0 ] && [ -c /dev/watchdog0 ] && echo >/dev/watchdog0; do
    left=$((left - 1))
    sleep 5
  done
}
feed 2>/dev/null &
