#!/usr/bin/env bash
# Makes a disk as k3OS's installer and the first boot leave it, without mounts, loop devices or root of its own.
#   disk.sh OUT bios|uefi SIZE_MIB today|2019 TREE
#
# TREE becomes the content of STATE; GRUB's modules are added to it. `2019` makes the file system of installers before
# 0.7.0: 500 MB at first, hence blocks of 1 KiB and inodes of 128 bytes, then grown.
set -euo pipefail
out=$1 firmware=$2 size=$3 age=$4 tree=$5
PATH=$PATH:/usr/sbin:/sbin

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
uuid=$(cat /proc/sys/kernel/random/uuid)
rm -f "$out"
truncate -s "${size}M" "$out"

# GRUB's folder, as grub-install fills it. An empty environment block is a header and 1024 bytes in all.
grub=$tree/boot/grub
platform=i386-pc
[ "$firmware" = bios ] || platform=x86_64-efi
mkdir -p "$grub/$platform"
cp /usr/lib/grub/$platform/*.mod /usr/lib/grub/$platform/*.lst "$grub/$platform/"
grub-editenv "$grub/grubenv" create

# Sectors of 512 bytes. parted puts "0%" at 1 MiB and "50MB" at the next whole MiB.
if [ "$firmware" = bios ]; then
  start=2048
  printf 'label: dos\nstart=%s, type=83, bootable\n' "$start" | sfdisk -q "$out"
  sectors=$((size * 2048 - start))
else
  start=98304
  sectors=$((size * 2048 - 2048 - start))
  printf 'label: gpt\nstart=2048, size=95608, type=%s, name="primary"\nstart=%s, size=%s, type=%s, name="primary"\n' \
    C12A7328-F81F-11D2-BA4B-00A0C93EC93B "$start" "$sectors" 0FC63DAF-8483-4772-8E79-3D69D8477DE4 | sfdisk -q "$out"
fi

if [ "$firmware" = bios ]; then
  grub-mkimage -O i386-pc -o "$work/core.img" -p '(,msdos1)/boot/grub' biosdisk part_msdos ext2
  cp /usr/lib/grub/i386-pc/boot.img "$work/core.img" "$grub/i386-pc/"
  dd if=/usr/lib/grub/i386-pc/boot.img of="$out" bs=440 count=1 conv=notrunc status=none
  dd if="$work/core.img" of="$out" bs=512 seek=1 conv=notrunc status=none
else
  # shellcheck disable=SC2016 # for GRUB
  printf 'search.fs_uuid %s root\nset prefix=($root)/boot/grub\n' "$uuid" >"$work/load.cfg"
  grub-mkimage -O x86_64-efi -o "$work/core.efi" -c "$work/load.cfg" -p /boot/grub part_gpt part_msdos fat ext2 search_fs_uuid
  cp "$work/core.efi" "$grub/x86_64-efi/core.efi"
  truncate -s $((95608 * 512)) "$work/esp.img"
  mkfs.vfat -F 32 -n K3OS_GRUB "$work/esp.img" >/dev/null
  mmd -i "$work/esp.img" ::/EFI ::/EFI/BOOT
  mcopy -i "$work/esp.img" "$work/core.efi" ::/EFI/BOOT/BOOTX64.EFI
  dd if="$work/esp.img" of="$out" bs=512 seek=2048 conv=notrunc,sparse status=none
fi

# The defaults of e2fsprogs in the Alpine that k3OS was made of: without what came after it.
state=(-q -F -t ext4 -L K3OS_STATE -U "$uuid" -O '^metadata_csum_seed,^orphan_file' -E "offset=$((start * 512))" -d "$tree")
case $age in
  today) mke2fs "${state[@]}" "$out" "$((sectors / 2))k" ;;
  2019)
    mke2fs "${state[@]}" -b 1024 -I 128 -i 4096 "$out" 488281k
    resize2fs "$out?offset=$((start * 512))" "$((sectors / 2))k" >/dev/null 2>&1
    # It cuts a file to the size of the file system, whatever the offset. What it cut off was still a hole.
    truncate -s "${size}M" "$out"
    ;;
  *) echo "disk.sh: there is no age $age" >&2 && exit 1 ;;
esac
