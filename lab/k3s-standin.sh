#!/usr/bin/env bash
# Builds the program that takes the place of k3s in the lab's virtual machines, if it is missing, and prints its path.
#   k3s-standin.sh [--where]     --where prints the path without building anything
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

PATH=$PATH:/usr/local/go/bin
command -v go >/dev/null || { echo 'k3s-standin.sh: go is missing: apt-get install golang-go' >&2; exit 1; }
# The person's own Go settings must not change what is built.
export CGO_ENABLED=0 GOWORK=off GOFLAGS=-buildvcs=false
key=$({ go env GOVERSION GOOS GOARCH && cat k3s-standin.sh k3s-standin/*.go k3s-standin/go.*; } | sha256sum | cut -c1-16)
out=${XDG_CACHE_HOME:-$HOME/.cache}/k3os-migrate/lab/k3s-standin-$key/k3s
if [ "${1-}" != --where ] && [ ! -x "$out" ]; then
  work=${out%/*}.build
  rm -rf "$work"
  go -C k3s-standin build -trimpath -ldflags '-s -w' -o "$work/k3s" .
  mkdir -p "${out%/*}"
  # Renamed when whole: an interrupted build leaves nothing that looks like a binary.
  mv "$work/k3s" "$out"
  rm -rf "$work"
fi
echo "$out"
