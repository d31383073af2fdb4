#!/bin/sh
# When an initial RAM disk is made (initramfs-tools, hooks): what initramfs-watchdog.sh needs in it. Debian 13 has it by itself.
case ${1:-} in prereqs) exit 0 ;; esac
# shellcheck disable=SC1091 # comes with initramfs-tools
. /usr/share/initramfs-tools/hook-functions
copy_modules_dir kernel/drivers/watchdog
