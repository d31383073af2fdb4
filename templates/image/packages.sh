#!/bin/sh
# A hook of mmdebstrap, for a tree whose files came from a disk image: makes its packages those of a root tree.
#   packages.sh ROOT KERNEL APT-WORD...     an APT-WORD is a package, or one to be removed: NAME-
# apt runs outside the tree, as mmdebstrap runs it: with the keys, the proxy and the network of this machine.
# shellcheck disable=SC2016 # formats are for dpkg-query
set -eu
# What a hook prints would be part of the archive.
exec >&2
root=$1 kernel=$2
shift 2

apt() {
  # A setting of the image that a package would replace stays as it is: nobody can be asked.
  APT_CONFIG=$MMDEBSTRAP_APT_CONFIG DEBIAN_FRONTEND=noninteractive TMPDIR=$root/tmp apt-get --yes \
    -o Dir::Bin::dpkg=env -o DPkg::Options::=--unset=TMPDIR -o DPkg::Options::=dpkg \
    -o DPkg::Options::=--force-confdef -o DPkg::Options::=--force-confold \
    -o DPkg::Chroot-Directory="$root" "$@"
}
packages() { # STATE FORMAT [PATTERN]
  chroot "$root" dpkg-query -W -f "\${db:Status-Abbrev}|$2\n" ${3+"$3"} | sed -n "s/^$1 *|//p"
}
debconf() { # COMMAND
  echo "$1" | chroot "$root" debconf-communicate linux-base >/dev/null
}

# Its links to the kernel go into the root folder, whatever the image had in mind.
rm -f "$root/etc/kernel-img.conf"
# On a machine that runs the very kernel of the image, the package of that kernel asks before it goes.
same_kernel=
if [ -e "$root/boot/vmlinuz-$(uname -r)" ]; then
  same_kernel=1
  debconf 'SET linux-base/removing-running-kernel false'
  debconf 'FSET linux-base/removing-running-kernel seen true'
fi

echo 'I: installing what is missing, and removing what must not be there'
# Parts of GRUB for secure boot are protected: apt would only take them away together with leave to remove whatever is essential.
# So GRUB goes first, whole and without apt.
grub=$(packages '[ih]i' '${Package}' | grep -E '^(grub|shim)' || true)
# shellcheck disable=SC2086 # names of packages
[ -z "$grub" ] || chroot "$root" dpkg --purge --force-remove-protected --force-depends $grub
apt install --purge "$@"
echo 'I: bringing all of it up to date'
apt dist-upgrade
echo 'I: removing kernels of the image, and what nothing needs any more'
newest=$(packages '[ih]i' '${Depends}' "$kernel" | sed 's/[ ,].*//')
others=$(packages '[ih]i' '${Package}' 'linux-image-[0-9]*' | grep -vxF "$newest" || true)
# shellcheck disable=SC2086 # names of packages
apt autoremove --purge $others
# Of what was removed before, when the image was made.
left=$(packages rc '${binary:Package}')
# shellcheck disable=SC2086 # names of packages
[ -z "$left" ] || chroot "$root" dpkg --purge $left
[ -z "$same_kernel" ] || debconf 'RESET linux-base/removing-running-kernel'

# Network and boot menu are the node's own, and come later.
chroot "$root" systemctl --quiet disable systemd-networkd.service
rm -rf "$root/boot/grub" "$root/boot/efi" "$root/etc/default/grub" "$root/etc/default/grub.d" "$root/etc/grub.d" \
  "$root/etc/cloud" "$root/var/lib/cloud" "$root/etc/netplan" "$root/etc/network/interfaces" "$root/etc/network/interfaces.d" \
  "$root/etc/udev/rules.d/75-cloud-ifupdown.rules" "$root/etc/sudoers.d/90-cloud-init-users"
find "$root/etc/systemd/network" -mindepth 1 -delete

echo 'I: making the initial RAM disk'
chroot "$root" update-initramfs -u -k all
version=${newest#linux-image-}
rm -f "$root"/vmlinuz "$root"/vmlinuz.old "$root"/initrd.img "$root"/initrd.img.old
chroot "$root" linux-update-symlinks install "$version" "/boot/vmlinuz-$version"
# It makes one to the kernel before as well, and takes itself for that when there is none.
rm -f "$root"/vmlinuz.old "$root"/initrd.img.old
