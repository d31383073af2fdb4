#!/usr/bin/env bash
# Makes the root tree that the lab's virtual machines move to, with "image build", if it is missing, and prints its path.
#   root-tree.sh [--where]     --where prints the path without building anything
#
# A plain tar: that is what a node unpacks. Its packages are those of the day it was made.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

key=$(cat lab/root-tree.sh src/core/image/{packages,root-tree}.ts src/adapters/{image/mmdebstrap,tree-overlay}.ts templates/in-place/{deadline,forget,gate,initramfs-*,kernel*}.sh | sha256sum | cut -c1-16)
out=${XDG_CACHE_HOME:-$HOME/.cache}/k3os-migrate/lab/root-tree-$key/debian.tar
if [ "${1-}" != --where ] && [ ! -f "$out" ]; then
  command -v zstd >/dev/null || { echo 'root-tree.sh: zstd is missing: apt-get install zstd' >&2; exit 1; }
  # Its own: whoever else builds it now is not in the way.
  work=${out%/*}.build.$$
  trap 'rm -rf "$work"' EXIT
  npm exec -- node src/cli.ts image build --target debian --no-firmware --out "$work" >&2
  mkdir -p "${out%/*}"
  zstd -q -d "$work"/*.tar.zst -o "$work/debian.tar"
  # Renamed when whole: an interrupted build leaves nothing that looks like a tree.
  mv "$work/debian.tar" "$out"
fi
echo "$out"
