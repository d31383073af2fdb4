#!/usr/bin/env bash
# Makes a disk image of the shape that Debian gives its cloud images (genericcloud), if it is missing, and prints its path.
#   cloud-image.sh [--where] [trixie|bookworm]     --where prints the path without building anything
#
# It is our own rendering, from Debian's packages: GPT with the root (ext4) as partition 1, GRUB's own as 14 and the ESP as 15, a
# compressed qcow2, cloud-init, GRUB for BIOS and UEFI, the kernel of the cloud flavour, netplan, unattended upgrades. What Debian's
# own build does besides is not in it, and it is never booted.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

where=
[ "${1-}" != --where ] || { where=1; shift; }
release=${1:-trixie}
key=$(sha256sum lab/cloud-image.sh | cut -c1-16)
out=${XDG_CACHE_HOME:-$HOME/.cache}/k3os-migrate/lab/cloud-image-$key/debian-$release-genericcloud-amd64.qcow2
if [ -n "$where" ] || [ -f "$out" ]; then
  echo "$out"
  exit
fi

for tool in mmdebstrap qemu-img sfdisk mke2fs mkfs.vfat; do
  PATH=$PATH:/usr/sbin:/sbin command -v "$tool" >/dev/null || {
    echo "cloud-image.sh: $tool is missing: apt-get install mmdebstrap qemu-utils fdisk e2fsprogs dosfstools" >&2
    exit 1
  }
done
PATH=$PATH:/usr/sbin:/sbin
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

packages=(
  cloud-init cloud-guest-utils cloud-initramfs-growroot grub-cloud-amd64 linux-image-cloud-amd64
  apparmor apt-utils bash-completion ca-certificates curl dbus ethtool iproute2 iputils-ping less libpam-systemd locales
  netplan.io openssh-server python3 sudo systemd-resolved systemd-sysv systemd-timesyncd udev unattended-upgrades vim-tiny wget
)
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
# shellcheck disable=SC2016 # hooks are for a shell of their own
mmdebstrap --quiet --variant=minbase --include="$(IFS=,; echo "${packages[*]}")" \
  --aptopt='APT::Install-Recommends "false"' --aptopt='Acquire::Retries "3"' \
  --customize-hook='printf "%s\n" "PARTUUID=5e1b6e5c-0a43-4f0e-9d0a-3b6c2f6a1f01 / ext4 rw,discard,errors=remount-ro,x-systemd.growfs 0 1" "PARTUUID=5e1b6e5c-0a43-4f0e-9d0a-3b6c2f6a1f0f /boot/efi vfat defaults 0 0" >"$1/etc/fstab"' \
  --customize-hook='mkdir -p "$1/etc/netplan" "$1/boot/efi" "$1/boot/grub"' \
  --customize-hook='printf "%s\n" "network:" "  version: 2" "  ethernets:" "    all-en: {match: {name: \"en*\"}, dhcp4: true}" >"$1/etc/netplan/90-default.yaml"' \
  --customize-hook='printf "%s\n" "do_symlinks = yes" "do_bootloader = no" "link_in_boot = no" >"$1/etc/kernel-img.conf"' \
  --customize-hook='echo "menuentry Debian {}" >"$1/boot/grub/grub.cfg"' \
  --customize-hook='chroot "$1" systemctl --quiet enable systemd-networkd.service' \
  --customize-hook='echo localhost >"$1/etc/hostname"' \
  "$release" "$work/root" \
  "deb [signed-by=$keyring] http://deb.debian.org/debian $release main" \
  "deb [signed-by=$keyring] http://deb.debian.org/debian-security $release-security main" >&2

# Where Debian's images have them.
truncate -s 3G "$work/disk.raw"
sfdisk --quiet "$work/disk.raw" <<'TABLE'
label: gpt
unit: sectors
first-lba: 34

1 : start=262144, type=4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709, uuid=5e1b6e5c-0a43-4f0e-9d0a-3b6c2f6a1f01
14 : start=2048, size=6144, type=21686148-6449-6E6F-744E-656564454649
15 : start=8192, size=253952, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B, uuid=5e1b6e5c-0a43-4f0e-9d0a-3b6c2f6a1f0f
TABLE
mkfs.vfat -C "$work/esp" $((253952 / 2)) >/dev/null
dd if="$work/esp" of="$work/disk.raw" bs=1M seek=4 conv=notrunc,sparse status=none
blocks=$(sfdisk --json "$work/disk.raw" | jq '.partitiontable.partitions[] | select(.start == 262144) | .size / 8 | floor')
mke2fs -q -t ext4 -b 4096 -d "$work/root" -E "offset=$((262144 * 512))" "$work/disk.raw" "$blocks"

mkdir -p "${out%/*}"
qemu-img convert -c -f raw -O qcow2 "$work/disk.raw" "$out.partial"
# Renamed when whole: an interrupted build leaves nothing that looks like an image.
mv "$out.partial" "$out"
echo "$out"
