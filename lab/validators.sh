#!/usr/bin/env bash
# Builds the targets' own parsers that are missing and prints one line for each program: its name and its path.
#   validators.sh [--where]     --where prints the lines without building anything
#
#   validators   Talos 1.13, Ignition and Butane, yip, Kairos, CustomResourceDefinitions, registries.yaml, JSON Schema
#   talos-1.14   Talos 1.14: a Go module holds one version of it
#
# A program's folder is named after what it was built from, so that an old one is never taken for a new one.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

cache=${XDG_CACHE_HOME:-$HOME/.cache}/k3os-migrate/lab
where=false
[ "${1-}" != --where ] || where=true

command -v go >/dev/null || {
  echo 'validators.sh: go is missing; install Go 1.21 or newer: apt-get install golang-go (Debian 13 and later)' >&2
  exit 1
}
# The person's own Go settings must not change what is built.
export CGO_ENABLED=0 GOWORK=off GOFLAGS=-buildvcs=false

key() {
  { go env GOVERSION GOOS GOARCH && find validators.sh validators -type f -print0 | sort -z | xargs -0 cat; } |
    sha256sum | cut -c1-16
}

folder=$cache/validators-$(key)

program() { # NAME MODULE
  if ! $where && [ ! -x "$folder/$1" ]; then
    echo "building $1, which takes minutes when Go's cache is cold" >&2
    mkdir -p "$folder"
    go -C "$2" build -trimpath -ldflags '-s -w' -o "$folder/$1.new" .
    # Renamed when whole: an interrupted build leaves nothing that looks like a program.
    mv "$folder/$1.new" "$folder/$1"
  fi
  echo "$1 $folder/$1"
}

program validators validators
program talos-1.14 validators/talos-1.14
