#!/bin/sh
# Part of the initial RAM disk (initramfs-tools, init-premount): on trial, a machine that hangs from here on restarts by itself, by
# its own watchdog or, without one, by the kernel's. systemd takes it over (systemd.watchdog_sec). Otherwise this does nothing.
case ${1:-} in prereqs) exit 0 ;; esac
case " $(cat /proc/cmdline)" in *' k3os-migrate.deadline='*) ;; *) exit 0 ;; esac

# udev has loaded the driver of one that the machine has.
[ -c /dev/watchdog0 ] || modprobe -q softdog || true

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
