#!/bin/sh
# What a move in place does on a node, as root. busybox ash is enough. Data comes by stdin.
# Under k3OS:
#   look                facts for the gates, one NAME=VALUE a line
#   unpack ID           a tar archive becomes /os/ID on STATE
#   verify ID           "SHA256  ./PATH" lines: every file of /os/ID is read back and compared
#   drivers ID          names what /os/ID lacks for this machine: kernel modules of disks and network cards in use, or all of it;
#                       and "firmware DRIVER FILE" for what a driver at work may have asked for and got from k3OS
#   seed ID             a tar archive of the node's own files is laid over /os/ID
#   complete ID VERSION k3s of this version, a machine-id and resolv.conf for /os/ID
#   menu                a new grub.cfg takes the place of k3OS's, which stays beside it as grub.cfg.k3os
#   stop, start         k3s; what it leaves running when it stops is ended too
#   remove ID           takes all of it away again
# Under the new system:
#   confirm             nobody takes it back any more when its deadline is over
#   finalize ID         a new grub.cfg without k3OS; then k3OS's system is removed
# Under both:
#   state ID            where the move stands, one NAME=VALUE a line
#   environment         prints grubenv
#   arm                 1024 bytes are written over grubenv, in place
#   restart             in a moment, so that the answer still gets through
set -eu
umask 022
command=${1:?}
id=${2:-}
version=${3:-}
system=k3os
grub=/boot/grub
state=/run/k3os-migrate/state
# Only the new system has one there: /etc of k3OS is made anew at each boot.
if [ -s /etc/k3os-migrate/nonce ]; then
  system=new
  grub=/state/boot/grub
  state=/state
fi

fail() {
  echo "$*" >&2
  exit 1
}

case $id in *[!A-Za-z0-9-]* | -*) fail "'$id' cannot name a folder" ;; esac
case $version in *[!A-Za-z0-9.+-]* | .*) fail "'$version' is no version" ;; esac

need_k3os() {
  [ "$system" = k3os ] || fail "k3OS does not run here, so $command is not for now"
}

# What is mounted at /boot is a folder of STATE.
state_device() {
  at=/boot
  [ "$system" = k3os ] || at=/state
  awk -v at=$at '$5 == at { for (i = 7; i < NF; i++) if ($i == "-") { print $(i + 2); exit } }' /proc/self/mountinfo
}

# STATE as a whole; k3OS itself only shows folders of it.
mount_state() {
  [ "$system" = k3os ] || return 0
  device=$(state_device)
  [ -b "$device" ] || fail '/boot is no folder of a disk: is this an installation of k3OS on a disk?'
  mkdir -p "$state"
  mount -t ext4 "$device" "$state" || fail "$device cannot be mounted a second time"
  # From inside it could not be unmounted.
  trap 'cd / && umount "$state"' EXIT
}

# GRUB reads the disk without the journal, without looking at what is free or at checksums, and so does this.
on_disk() { # PATH: its bytes
  debugfs -D -c -n -R "cat $1" "$(state_device)" 2>/dev/null
}

# GRUB needs everything at its own place on the disk. The first writes the journal, and then what it stands for, but asks the disk
# to keep only the journal; the second, with nothing left to write, asks for the rest.
settle() {
  sync
  sync
}

# An absolute link begins at the tree: Debian 12 has one for /sbin/init.
in_tree() { # TREE PATH
  link=$(readlink "$1/$2" || true)
  case $link in
    /*) [ -e "$1$link" ] ;;
    *) [ -e "$1/$2" ] ;;
  esac
}

super() { # FIELD of the superblock
  dumpe2fs -h "$(state_device)" 2>/dev/null | sed -n "s/^$1: *//p"
}

word_of_kernel() { # NAME: its value on the kernel's command line
  tr ' ' '\n' </proc/cmdline | sed -n "s/^$1=//p" | head -n 1
}

# Names of modules that drive disks and network cards here. What is built into the kernel has none.
drivers() {
  for device in /sys/block/*/device /sys/class/net/*/device; do
    [ -e "$device" ] || continue
    device=$(readlink -f "$device")
    while [ "$device" != /sys/devices ] && [ "$device" != / ]; do
      [ ! -e "$device/driver/module" ] || basename "$(readlink -f "$device/driver/module")"
      device=${device%/*}
    done
  done | sort -u
}

# Files that drivers at work name, and that k3OS has: those that it has not were not needed either. Kernels do not tell which
# of them they have loaded.
firmware() {
  lsmod 2>/dev/null | sed 1d | while read -r driver _; do
    for file in $(modinfo -F firmware "$driver" 2>/dev/null); do
      for form in "$file" "$file.xz" "$file.zst"; do
        [ ! -e "/lib/firmware/$form" ] || echo "$driver $file"
      done
    done
  done
}

# Processes of pods, and what holds them. k3s leaves them running when it stops.
of_pods() {
  for process in /proc/[0-9]*; do
    case $(readlink "$process/exe" 2>/dev/null) in
      */containerd-shim*) echo "${process#/proc/}" ;;
      *) ! grep -q kubepods "$process/cgroup" 2>/dev/null || echo "${process#/proc/}" ;;
    esac
  done
}

end_pods() {
  for signal in TERM KILL; do
    for second in 1 2 3 4 5 6 7 8 9 10; do
      left=$(of_pods)
      [ -n "$left" ] || return 0
      # shellcheck disable=SC2086 # numbers
      [ "$second" != 1 ] || kill -s $signal $left 2>/dev/null || true
      sleep 1
    done
  done
  fail "k3s is stopped, and these processes of pods do not end: $(echo "$left" | tr '\n' ' ')"
}

look() {
  device=$(state_device)
  cat_line() { [ ! -r "$1" ] || head -n 1 "$1"; }
  echo "mode=$(cat_line /run/k3os/mode)"
  echo "device=$device"
  echo "uuid=$(super 'Filesystem UUID')"
  echo "features=$(super 'Filesystem features')"
  echo "fsState=$(super 'Filesystem state')"
  echo "fsErrors=$(super 'FS Error count')"
  echo "stateLabels=$(blkid | grep -c 'LABEL="K3OS_STATE"')"
  echo "kilobytes=$(df -P -k / | awk 'NR == 2 { print $2 " " $4 }')"
  echo "inodes=$(df -P -i / | awk 'NR == 2 { print $2 " " $4 }')"
  echo "memoryKilobytes=$(awk '$1 == "MemTotal:" { print $2 }' /proc/meminfo)"
  echo "epoch=$(date +%s)"
  if [ -d /sys/firmware/efi ]; then platform=x86_64-efi; else platform=i386-pc; fi
  case $(uname -m) in aarch64) platform=arm64-efi ;; armv*) platform=arm-efi ;; esac
  echo "platform=$platform"
  for module in loadenv test normal linux ext2 search_fs_uuid; do
    [ -e "$grub/$platform/$module.mod" ] || echo "missingModule=$module"
  done
  for marker in takeover factory-reset ephemeral growpart; do
    [ ! -e "/k3os/system/$marker" ] || echo "marker=$marker"
  done
  echo "grubenv=$(stat -c '%s %b' "$grub/grubenv" 2>/dev/null)"
  echo "etcd=$([ ! -d /var/lib/rancher/k3s/server/db/etcd ] || echo yes)"
  echo "cgroupV1=$([ -e /sys/fs/cgroup/cgroup.controllers ] || echo yes)"
  echo "debugfs=$(! command -v debugfs >/dev/null || echo yes)"
  for card in /sys/class/net/*/device; do
    [ -e "$card" ] || continue
    card=${card%/device}
    ip -o -4 address show dev "${card##*/}" scope global | awk '{ print "network=" $2 " " $4 }'
  done
  ip -4 route show default | awk '$2 == "via" { print "network=default via " $3; exit }'
  while read -r source path type options _; do
    case $source in
      "$device" | /dev/root | /dev/loop*) ;;
      /dev/mapper/* | /dev/dm-* | /dev/md*) echo "assembled=$source" ;;
      /dev/*)
        uuid=$(blkid "$source" | sed -n 's/.* UUID="\([^"]*\)".*/\1/p')
        case ,$options, in *,ro,*) access=ro ;; *) access=rw ;; esac
        # A folder of a disk that shows up elsewhere too is bound by whoever did that.
        case $path in / | /dev/* | /var/lib/kubelet/*) ;; *) echo "disk=$uuid $type $access $path" ;; esac
        ;;
    esac
  done </proc/mounts | sort -u
  for parent in / /var /var/lib /var/log /var/spool; do
    find "$parent" -mindepth 1 -maxdepth 1 -type d 2>/dev/null | sed 's/^/directory=/'
  done
}

case $command in
  look)
    need_k3os
    look
    ;;
  state)
    mount_state
    yes_if() { if "$@"; then echo yes; fi; }
    variable() { sed -n "s/^$1=//p" "$grub/grubenv" 2>/dev/null | head -n 1; }
    echo "system=$system"
    echo "boot=$(cat /proc/sys/kernel/random/boot_id)"
    echo "nonce=$(cat /etc/k3os-migrate/nonce 2>/dev/null)"
    echo "probe=$(word_of_kernel k3os-migrate.probe)"
    echo "placed=$(cat "$state/os/$id/etc/k3os-migrate/nonce" 2>/dev/null)"
    echo "traces=$(yes_if [ -e "$state/os/$id" -o -e "$state/os/$id.partial" -o -e "$grub/grub.cfg.k3os" ])"
    echo "menu=$(sha256sum <"$grub/grub.cfg" | cut -d' ' -f1)"
    echo "armed=$(variable next_entry)"
    echo "settled=$(variable saved_entry)"
    echo "confirmed=$(yes_if [ -e /etc/k3os-migrate/confirmed ])"
    echo "k3sStopped=$([ "$system" = new ] || rc-service k3s-service status >/dev/null 2>&1 || echo yes)"
    echo "k3osMib=$([ ! -e "$state/k3os/system/kernel/current" ] || du -sm "$state/k3os/system" | cut -f1)"
    echo "features=$(super 'Filesystem features')"
    cd /
    ;;
  unpack)
    need_k3os
    mount_state
    new=$state/os/$id
    [ ! -e "$new" ] || fail "/os/$id is there already"
    mkdir -p "$state/os"
    rm -rf "$new.partial"
    mkdir "$new.partial"
    tar -x -p -f - -C "$new.partial" || fail 'the root tree could not be unpacked'
    for need in vmlinuz initrd.img sbin/init state; do
      in_tree "$new.partial" "$need" || fail "the root tree has no /$need"
    done
    # Names of its own for what GRUB boots: another kernel of a package changes the links, and not what is proven (kernel.sh).
    kernels=$new.partial/boot/k3os-migrate
    mkdir -p "$kernels/a"
    for file in vmlinuz initrd.img; do
      ln "$(readlink -f "$new.partial/$file")" "$kernels/a/$file" || fail "/$file of the root tree leads out of it"
    done
    ln -s a "$kernels/proven"
    mv "$new.partial" "$new"
    settle
    ;;
  verify)
    mount_state
    cd "$state/os/$id"
    # What is read back must come from the disk.
    settle
    echo 3 >/proc/sys/vm/drop_caches
    sha256sum -c >/run/k3os-migrate/verify 2>&1 ||
      fail "read back from the disk, this differs: $(grep -v ': OK$' /run/k3os-migrate/verify | head -n 3 | tr '\n' ' ')"
    cd /
    ;;
  drivers)
    mount_state
    chroot "$state/os/$id" /bin/true 2>/dev/null || echo "programs for $(uname -m)"
    modules=$state/os/$id/usr/lib/modules
    for driver in $(drivers); do
      name=$(echo "$driver" | sed 's/[-_]/[-_]/g')
      cat "$modules"/*/modules.dep "$modules"/*/modules.builtin 2>/dev/null | cut -d: -f1 |
        grep -q "/$name\.ko" || echo "the driver $driver"
    done
    firmware | while read -r driver file; do
      found=$(ls "$state/os/$id/usr/lib/firmware/$file" "$state/os/$id/usr/lib/firmware/$file".* 2>/dev/null || true)
      [ -n "$found" ] || echo "firmware $driver $file"
    done
    ;;
  seed)
    need_k3os
    mount_state
    root=$state/os/$id
    [ -d "$root" ] || fail "there is no /os/$id"
    tar -x -p -f - -C "$root" || fail "the node's files could not be unpacked"
    cd /
    settle
    ;;
  complete)
    need_k3os
    mount_state
    root=$state/os/$id
    # The one that runs, not the one that an upgrade has laid ready; and a copy, as k3OS itself will be removed one day.
    k3s=$state/k3os/system/k3s/$version/k3s
    [ -s "$k3s" ] || fail "k3OS has no k3s $version on its disk, and that is the one that runs"
    cp "$k3s" "$root/usr/bin/k3s.new" && chmod 755 "$root/usr/bin/k3s.new"
    mv -f "$root/usr/bin/k3s.new" "$root/usr/bin/k3s"
    # Of /etc, which k3OS keeps in memory: made at random when it started, and what storage knows the node by.
    if [ -s /etc/iscsi/initiatorname.iscsi ]; then
      mkdir -p "$root/etc/iscsi"
      cp -p /etc/iscsi/initiatorname.iscsi "$root/etc/iscsi/"
    fi
    # Never the one of the tree, which all nodes would share, and never k3OS's, which changes at each boot.
    tr -d - </proc/sys/kernel/random/uuid >"$root/etc/machine-id"
    # kubelet hands resolv.conf to pods, where 127.0.0.53 is the pod itself.
    case $(readlink "$root/etc/resolv.conf") in
      */stub-resolv.conf) ln -sfn ../run/systemd/resolve/resolv.conf "$root/etc/resolv.conf" ;;
    esac
    cd /
    settle
    ;;
  menu)
    need_k3os
    mkdir -p /run/k3os-migrate
    # k3OS's own menu does not read it; the one that comes now would boot at once what somebody armed long ago.
    ! grep -q '^\(next\|saved\)_entry=.' "$grub/grubenv" 2>/dev/null || fail 'grubenv is armed already'
    cat >"$grub/grub.cfg.new"
    [ -s "$grub/grub.cfg.new" ] || fail 'the menu arrived empty'
    [ -e "$grub/grub.cfg.k3os" ] || ln "$grub/grub.cfg" "$grub/grub.cfg.k3os"
    if [ "$(stat -c '%s' "$grub/grubenv" 2>/dev/null)" != 1024 ]; then
      # Whole from the start: GRUB cannot give it blocks.
      { echo '# GRUB Environment Block' && head -c 999 /dev/zero | tr '\0' '#'; } >"$grub/grubenv.new"
      mv -f "$grub/grubenv.new" "$grub/grubenv"
    fi
    settle
    mv -f "$grub/grub.cfg.new" "$grub/grub.cfg"
    settle
    if command -v debugfs >/dev/null; then
      on_disk /boot/grub/grub.cfg | cmp -s - "$grub/grub.cfg" || fail 'GRUB would still read the old menu'
    fi
    ;;
  environment)
    cat "$grub/grubenv"
    ;;
  arm)
    mkdir -p /run/k3os-migrate
    head -c 1025 >/run/k3os-migrate/grubenv
    [ "$(wc -c </run/k3os-migrate/grubenv)" -eq 1024 ] || fail 'the block arrived incomplete'
    [ "$(stat -c '%s' "$grub/grubenv")" = 1024 ] || fail 'grubenv has not 1024 bytes'
    dd if=/run/k3os-migrate/grubenv of="$grub/grubenv" bs=1024 count=1 conv=notrunc,fsync 2>/dev/null ||
      fail 'grubenv cannot be written'
    if command -v debugfs >/dev/null; then
      on_disk /boot/grub/grubenv | cmp -s - /run/k3os-migrate/grubenv || fail 'grubenv is not on the disk'
    fi
    ;;
  stop)
    need_k3os
    rc-service k3s-service stop >&2 || fail 'k3s does not stop'
    end_pods
    # Deepest first.
    awk '$2 ~ "^/var/lib/kubelet/pods/" { print $2 }' /proc/mounts | sort -r | while read -r path; do
      umount "$path" || true
    done
    # No container runs any more: whichever k3s starts next finds no address that nobody has, and no state of another kernel's.
    rm -f /var/lib/cni/networks/*/[0-9]* /var/lib/kubelet/cpu_manager_state /var/lib/kubelet/memory_manager_state
    settle
    ;;
  start)
    need_k3os
    rc-service k3s-service start >&2 || fail 'k3s does not start'
    ;;
  confirm)
    [ "$system" = new ] || fail 'the new system does not run here'
    : >/etc/k3os-migrate/confirmed
    settle
    systemctl stop k3os-migrate-deadline.service
    ;;
  finalize)
    [ "$system" = new ] || fail 'the new system does not run here'
    [ -e /etc/k3os-migrate/confirmed ] || fail 'the new system is on trial: k3OS is its way back'
    [ -d "/state/os/$id" ] || fail "there is no /os/$id"
    cat >"$grub/grub.cfg.new"
    [ -s "$grub/grub.cfg.new" ] || fail 'the menu arrived empty'
    settle
    mv -f "$grub/grub.cfg.new" "$grub/grub.cfg"
    settle
    if command -v debugfs >/dev/null; then
      on_disk /boot/grub/grub.cfg | cmp -s - "$grub/grub.cfg" || fail 'GRUB would still read the old menu'
    fi
    # What no entry names any more. The folders that are bound lie in k3os/data and stay.
    rm -rf /state/k3os/system "$grub/grub.cfg.k3os"
    settle
    ;;
  restart)
    settle
    # Of a session of its own, as this one ends with the connection.
    setsid sh -c 'sleep 1; reboot' </dev/null >/dev/null 2>&1 &
    ;;
  remove)
    need_k3os
    # First what GRUB reads; a tree without an entry harms nobody, an entry without a tree does.
    if [ -e "$grub/grub.cfg.k3os" ]; then
      ln -f "$grub/grub.cfg.k3os" "$grub/grub.cfg.new"
      mv -f "$grub/grub.cfg.new" "$grub/grub.cfg"
      rm -f "$grub/grub.cfg.new"
      settle
    fi
    if [ -n "$id" ]; then
      mount_state
      rm -rf "${state:?}/os/$id" "$state/os/$id.partial"
      rmdir "$state/os" 2>/dev/null || true
    fi
    rm -f "$grub/grub.cfg.k3os"
    cd /
    settle
    ;;
  *)
    fail "there is no command $command"
    ;;
esac
