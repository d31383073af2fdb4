#!/usr/bin/env bash
# Makes the parts of the k3OS-shaped machines for the tests in virtual machines, and prints the folder they are in.
#   vm.sh [--where]     --where prints the folder without making anything
#
# k3os (a program with the image of a userland behind it), kernel.squashfs, initrd and the release of the kernel. The folder
# is named after a hash of what it was made from. lab/vm/README.md says how close this is to k3OS.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

cache=${XDG_CACHE_HOME:-$HOME/.cache}/k3os-migrate/vm
key=$({
  # shellcheck source=/dev/null
  (. /etc/os-release && echo "$ID $VERSION_ID")
  find vm.sh vm k3os-root -type f ! -name '*.md' ! -name 'disk.sh' -print0 | sort -z | xargs -0 cat
} | sha256sum | cut -c1-16)
out=$cache/$key
if [ "${1-}" = --where ] || [ -e "$out/kernel-release" ]; then
  echo "$out"
  exit
fi

# Debian's programs lie where not every PATH looks.
PATH=$PATH:/usr/sbin:/sbin:/usr/local/go/bin
missing=()
for program in mksquashfs cpio depmod xz go dpkg-deb apt-get busybox sshd ssh-keygen sudo bash lsblk debugfs; do
  command -v "$program" >/dev/null || missing+=("$program")
done
if [ ${#missing[@]} -gt 0 ]; then
  echo "vm.sh: there is no ${missing[*]} here; .ci/run has the list of packages" >&2
  exit 1
fi
busybox=$(command -v busybox)
if ldd "$busybox" >/dev/null 2>&1; then
  echo "vm.sh: $busybox is not static: apt-get install busybox-static" >&2
  exit 1
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# --- the kernel, unpacked and not installed -------------------------------------------------------------------------

mkdir "$work/download" "$work/kernel"
# apt drops its rights and must be able to write there
chmod 711 "$work"
chmod 777 "$work/download"
download_kernel() {
  kernel_package=$(apt-cache depends linux-image-amd64 | awk '$1 == "Depends:" { print $2; exit }')
  [ -n "$kernel_package" ] && (cd "$work/download" && apt-get -q download "$kernel_package")
}
# Lists that are missing, or so old that what they name is gone.
download_kernel || { apt-get -q update && download_kernel; }
release=${kernel_package#linux-image-}
dpkg-deb -x "$work"/download/*.deb "$work/kernel"
[ -e "$work/kernel/lib" ] || ln -s usr/lib "$work/kernel/lib"
depmod -b "$work/kernel" "$release"

# Modules with all they need, unpacked.
add_modules() { # ROOT MODULE...
  local root=$1 modules=$work/kernel/lib/modules/$release file target
  shift
  for module; do modprobe -d "$work/kernel" -S "$release" --show-depends "$module" 2>/dev/null; done |
    awk '$1 == "insmod" { print $2 }' | sort -u | while read -r file; do
    target=$root/lib/modules/$release/${file##*/modules/"$release"/}
    mkdir -p "${target%/*}"
    case $file in
      *.xz) xz -dc "$file" >"${target%.xz}" ;;
      *) cp "$file" "$target" ;;
    esac
  done
  cp "$modules"/modules.{order,builtin,builtin.modinfo} "$root/lib/modules/$release/"
  depmod -b "$root" "$release"
}

# For k3s: containers, pod networks, services; for tests: watchdogs, disks and network cards of QEMU, file systems.
kernel_modules=(
  overlay br_netfilter bridge veth vxlan dummy ip_tables iptable_nat iptable_filter ip6_tables ip6table_nat ip6table_filter
  nf_conntrack xt_conntrack xt_comment xt_mark xt_MASQUERADE xt_nat xt_addrtype xt_multiport xt_statistic xt_set ip_set
  ip_set_hash_ip ip_set_hash_net ip_vs nf_tables nft_compat softdog i6300esb iTCO_wdt vfat nls_cp437 nls_iso8859-1
  nls_ascii dm_mod md_mod iscsi_tcp nfsv4
)
mapfile -t boot_modules <vm/initrd/modules
squash=$work/squash
mkdir -p "$squash/lib/modules" "$squash/lib/firmware" "$squash/headers"
cp "$work/kernel/boot/vmlinuz-$release" "$squash/vmlinuz"
cp "$work/kernel/boot/config-$release" "$squash/config"
cp "$work/kernel/boot/System.map-$release" "$squash/System.map"
echo "$release" >"$squash/version"
add_modules "$squash" "${boot_modules[@]}" "${kernel_modules[@]}"

# --- the program and its image --------------------------------------------------------------------------------------

env CGO_ENABLED=0 GOWORK=off GOFLAGS=-buildvcs=false \
  go -C vm/k3os build -trimpath -ldflags '-s -w' -o "$work/k3os-program" .

# Each applet of busybox, except Debian's own package tools, which are no part of k3OS.
add_busybox() { # BIN
  local applet
  cp "$busybox" "$1/busybox"
  for applet in $("$busybox" --list); do
    case $applet in busybox | dpkg | dpkg-deb | rpm | rpm2cpio) ;; *) ln -s busybox "$1/$applet" ;; esac
  done
}

# A file with the libraries that it needs, all under the same names.
add_with_libraries() { # ROOT FILE TARGET
  local library
  mkdir -p "$1/$(dirname "$3")"
  rm -f "$1/$3"
  cp -L "$2" "$1/$3"
  { ldd "$2" 2>/dev/null || true; } | grep -o '/[^ )]*' | sort -u | while read -r library; do
    local target=$library
    # This root is mounted at /usr.
    target=${target#/usr}
    [ -e "$1$target" ] || { mkdir -p "$1$(dirname "$target")" && cp -L "$library" "$1$target"; }
  done
}

image=$work/image
mkdir -p "$image"/{bin,sbin,lib/modules,lib/firmware,lib64,src,libexec,share,etc/init.d,etc/pam.d,etc/ssh}
add_busybox "$image/bin"
ln -s ../bin/busybox "$image/sbin/init"
ln -s ../bin/busybox "$image/sbin/modprobe"
# What Alpine's packages bring in place of busybox's own forms (rancher/k3os images/00-base, 03-base, 05-base).
for program in bash cat chmod chown cp cut date dd df du head id ln ls md5sum mkdir mktemp mv nproc readlink realpath rm \
  rmdir sha256sum sort stat stdbuf sync tail tee timeout touch tr truncate uname wc \
  find xargs ps top free sysctl pgrep pkill lsblk findmnt blkid nsenter flock mount umount losetup fsfreeze \
  tar xz rsync curl jq parted ip sudo ssh ssh-keygen; do
  source=$(PATH=/usr/bin:/bin:/usr/sbin:/sbin command -v "$program") || { echo "vm.sh: no $program" >&2; exit 1; }
  add_with_libraries "$image" "$source" "bin/$program"
done
for program in sshd e2fsck debugfs tune2fs resize2fs dumpe2fs mke2fs; do
  source=$(PATH=/usr/sbin:/sbin command -v "$program") || { echo "vm.sh: no $program" >&2; exit 1; }
  rm -f "$image/bin/$program"
  add_with_libraries "$image" "$source" "sbin/$program"
done
chmod 4755 "$image/bin/sudo"
# Loaded at run time, so in no list of libraries.
add_with_libraries "$image" /usr/libexec/sudo/sudoers.so libexec/sudo/sudoers.so
pam=$(ldd "$(command -v sudo)" | sed -n 's,.*=> \(/.*\)/libc\.so.*,\1,p')
add_with_libraries "$image" "$pam/security/pam_permit.so" "${pam#/usr}/security/pam_permit.so"
add_with_libraries "$image" /usr/lib/openssh/sftp-server lib/openssh/sftp-server

cp k3os-root/passwd k3os-root/group "$image/etc/"
printf 'root:*:1::::::\nrancher:*:1::::::\nsshd:*:1::::::\n' >"$image/etc/shadow"
chmod 600 "$image/etc/shadow"
install -m 440 k3os-root/sudoers "$image/etc/sudoers"
cp k3os-root/pam-sudo "$image/etc/pam.d/sudo"
cp k3os-root/sshd_config "$image/etc/ssh/sshd_config"
# What Alpine's sshd gives by itself.
echo 'SetEnv PATH=/bin:/usr/bin:/sbin:/usr/sbin' >>"$image/etc/ssh/sshd_config"
echo 'hosts: files dns' >"$image/etc/nsswitch.conf"
printf '127.0.0.1\tlocalhost localhost.localdomain\n' >"$image/etc/hosts"
# What every login shell gets (rancher/k3os overlay/etc/environment).
echo 'K3S_KUBECONFIG_MODE="0644"' >"$image/etc/environment"
cp vm/image/inittab "$image/etc/inittab"
install -m 755 vm/image/init "$image/init"
cp -r vm/image/libexec/k3os "$image/libexec/k3os"
install -m 755 vm/image/sbin/* "$image/sbin/"
install -m 755 vm/image/init.d/* "$image/etc/init.d/"
chmod 755 "$image"/libexec/k3os/*
ln -s /k3os/system/k3os/current/k3os "$image/sbin/k3os"
for name in k3s kubectl crictl ctr; do ln -s /k3os/system/k3s/current/k3s "$image/sbin/$name"; done
ln -s /var/local "$image/local"
ln -s /var/lib/rancher/k3s/agent/libexec/kubernetes "$image/libexec/kubernetes"
ln -s ../etc/os-release "$image/lib/os-release"

squash() { # FOLDER FILE
  mksquashfs "$1" "$2" -noappend -quiet -no-progress -comp gzip -all-root
}
squash "$image" "$work/image.squashfs"
# The image begins right behind the magic word, on a whole page, so that a loop device takes it.
cp "$work/k3os-program" "$work/k3os"
size=$(stat -c %s "$work/k3os")
truncate -s $(((size + 9 + 4095) / 4096 * 4096 - 9)) "$work/k3os"
printf _sqmagic_ >>"$work/k3os"
cat "$work/image.squashfs" >>"$work/k3os"
chmod 755 "$work/k3os"

# --- the initrd -----------------------------------------------------------------------------------------------------

initrd=$work/initrd
mkdir -p "$initrd"/{bin,sbin,etc,proc,sys,dev,state,newroot,lib}
add_busybox "$initrd/bin"
ln -s ../bin/busybox "$initrd/sbin/modprobe"
install -m 755 vm/initrd/init "$initrd/init"
cp vm/initrd/modules "$initrd/etc/modules"
add_modules "$initrd" "${boot_modules[@]}"

mkdir -p "$cache"
made=$(mktemp -d "$cache/making.XXXXXX")
trap 'rm -rf "$work" "$made"' EXIT
chmod 755 "$made"
squash "$squash" "$made/kernel.squashfs"
(cd "$initrd" && find . -print0 | LC_ALL=C sort -z | cpio --null -o -H newc -R 0:0 --quiet | gzip -6) >"$made/initrd"
mv "$work/k3os" "$made/k3os"
echo "$release" >"$made/kernel-release"
mv "$made" "$out" 2>/dev/null || [ -e "$out/kernel-release" ]
echo "$out"
