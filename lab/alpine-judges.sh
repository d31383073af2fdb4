#!/usr/bin/env bash
# Fetches Alpine's own programs that are missing and prints one line for each: its name and its path.
#   alpine-judges.sh [--where]     --where prints the lines without fetching anything
#
#   ifquery   reader of /etc/network/interfaces; Debian's package ifupdown-ng
#   openrc    a folder to lay over the root: OpenRC with its libraries
#
# They are unpacked into the cache and not installed: either would replace what the machine itself starts with.
set -euo pipefail

cache=${XDG_CACHE_HOME:-$HOME/.cache}/k3os-migrate/lab/alpine
where=false
[ "${1-}" != --where ] || where=true

judge() { # NAME PATH PACKAGE...
  local name=$1 path=$cache/$1/$2
  shift 2
  if ! $where && [ ! -e "$path" ]; then
    echo "fetching $name" >&2
    mkdir -p "$cache"
    work=$(mktemp -d "$cache/work.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    (cd "$work" && apt-get -q download "$@" >&2) || {
      echo "alpine-judges.sh: apt cannot fetch $*; is it Debian, and was apt-get update run?" >&2
      exit 1
    }
    for package in "$work"/*.deb; do dpkg-deb -x "$package" "$work/root"; done
    # As on the machine, where everything lies below /usr.
    for folder in bin sbin lib; do
      [ ! -d "$work/root/$folder" ] || { mkdir -p "$work/root/usr" && cp -a "$work/root/$folder" "$work/root/usr/" && rm -r "$work/root/${folder:?}"; }
    done
    rm -rf "${cache:?}/$name"
    mv "$work/root" "$cache/$name"
    rm -rf "$work"
  fi
  echo "$name $path"
}

judge ifquery usr/sbin/ifquery ifupdown-ng
judge openrc . openrc librc1 libeinfo1
