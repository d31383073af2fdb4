#!/bin/sh
# Part of the new system: a kernel or an initial RAM disk that a package brings is booted once, on trial; a boot that fails is
# followed by the ones that came up before. What GRUB boots has names of its own in FOLDER, so that a package that writes new
# files under the old names takes nothing away:
#   proven -> a|b   every boot takes it        next -> a|b   the boot after an installation takes it, once
#
#   kernel try              one was installed
#   kernel keep [SERVICE]   this boot reached its end: what it was started with is what every boot takes, once SERVICE runs
set -eu
folder=/boot/k3os-migrate
block=/state/boot/grub/grubenv
# Exists from when the one that runs has come up.
up=/run/k3os-migrate-kernel-up

# GRUB reads the disk without its journal, so all of it must be at its own place. The first writes it there, the second makes the
# disk keep it.
settle() {
  sync
  sync
}

on_trial() {
  case " $(cat /proc/cmdline) " in *' k3os-migrate.kernel '*) ;; *) return 1 ;; esac
}

armed() {
  sed -n 's/^next_entry=//p' "$block" | head -n 1
}

# In place, and as one sector: GRUB knows the file by its blocks.
arm() { # ENTRY or nothing
  text=$(echo '# GRUB Environment Block' && echo "next_entry=$1" && sed '/^#/d; /^next_entry=/d' "$block")
  [ ${#text} -lt 1024 ] || { echo 'k3os-migrate: grubenv has no room' >&2 && return 1; }
  { printf '%s\n' "$text" && head -c 1024 /dev/zero | tr '\0' '#'; } | head -c 1024 >/run/k3os-migrate-grubenv
  dd if=/run/k3os-migrate-grubenv of="$block" bs=1024 count=1 conv=notrunc,fsync 2>/dev/null
}

point() { # NAME FOLDER
  ln -sfn "$2" "$folder/$1.new"
  mv -T "$folder/$1.new" "$folder/$1"
  settle
}

try() {
  settle
  # While a tree is made there is nothing to boot from, and on trial it is k3OS that is gone back to.
  { [ -e /etc/k3os-migrate/confirmed ] && [ -e $folder/proven/vmlinuz ] && [ -s $block ]; } || return 0
  # First the one that runs must come up; then this is asked again.
  if on_trial && [ ! -e $up ]; then return 0; fi
  id=$(tr ' ' '\n' </proc/cmdline | sed -n 's,^beside=/os/,,p' | head -n 1)
  entry=k3os-migrate-$id-kernel
  # Whoever armed something else restarts into that.
  case $(armed) in '' | "$entry") ;; *) return 0 ;; esac
  [ -z "$(armed)" ] || arm ''
  { [ -s /vmlinuz ] && [ -s /initrd.img ]; } || return 0
  # shellcheck disable=SC3013 # dash and busybox know it
  if [ /vmlinuz -ef $folder/proven/vmlinuz ] && [ /initrd.img -ef $folder/proven/initrd.img ]; then return 0; fi
  case $(readlink $folder/proven) in a) free=b ;; *) free=a ;; esac
  rm -rf "${folder:?}/$free"
  mkdir "$folder/$free"
  ln "$(readlink -f /vmlinuz)" "$folder/$free/vmlinuz"
  ln "$(readlink -f /initrd.img)" "$folder/$free/initrd.img"
  point next $free
  arm "$entry"
  echo "k3os-migrate: the next boot tries $(readlink -f /vmlinuz); if it does not come up, the kernel before is booted again"
}

# Long enough that one that cannot stay up does not look as if it could.
until_it_stays() { # SERVICE
  while :; do
    process=$(systemctl show --property MainPID --value "$1")
    sleep 30
    if systemctl --quiet is-active "$1" && [ "$process" != 0 ] &&
      [ "$process" = "$(systemctl show --property MainPID --value "$1")" ]; then return 0; fi
  done
}

keep() {
  if ! on_trial; then
    if [ -e $folder/next ] && [ "$(readlink $folder/next)" != "$(readlink $folder/proven)" ] && [ -z "$(armed)" ]; then
      echo 'k3os-migrate: the newest kernel did not come up, and this is the one before; the next update is tried again' >&2
    fi
    return 0
  fi
  [ -z "${1:-}" ] || until_it_stays "$1"
  point proven "$(readlink $folder/next)"
  : >$up
  # Something newer may have come meanwhile.
  try
}

case ${1:?} in
  try) try ;;
  keep) keep "${2:-}" ;;
esac
