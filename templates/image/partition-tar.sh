#!/bin/sh
# Writes what a partition of a disk image holds to stdout, as a tar archive. The image is only read: not even the journal of its file
# system is replayed.
#   partition-tar.sh IMAGE OFFSET BYTES FOLDER TAR-ARGUMENT...
# FOLDER is where it is mounted, in a mount namespace of its own: mount and loop device are gone with this process, however it ends.
set -eu
# shellcheck disable=SC2016 # for the inner shell
exec unshare --mount sh -euc '
  mount -t ext4 -o "ro,noload,nodev,nosuid,noexec,loop,offset=$2,sizelimit=$3" "$1" "$4"
  folder=$4
  shift 4
  exec tar --directory "$folder" --create --numeric-owner --acls --xattrs --xattrs-include="*" "$@"
' sh "$@"
