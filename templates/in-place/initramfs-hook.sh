#!/bin/sh
# When an initial RAM disk is made (initramfs-tools, hooks): what initramfs-watchdog.sh needs in it.
case ${1:-} in prereqs) exit 0 ;; esac
# shellcheck disable=SC1091 # comes with initramfs-tools
. /usr/share/initramfs-tools/hook-functions
copy_modules_dir kernel/drivers/watchdog
# Without these, the watchdog of Intel's chipsets is no device.
manual_add_modules lpc_ich i2c_i801
