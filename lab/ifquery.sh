#!/usr/bin/env bash
# Fetches Alpine's reader of /etc/network/interfaces when it is missing and prints one line: `ifquery` and its path.
#   ifquery.sh [--where]     --where prints the line without fetching anything
#
# Debian has it as the package ifupdown-ng. It is unpacked into the cache and not installed: that would replace the ifupdown
# which the machine's own network may need.
set -euo pipefail

cache=${XDG_CACHE_HOME:-$HOME/.cache}/k3os-migrate/lab/ifquery
program=$cache/sbin/ifquery

if [ "${1-}" != --where ] && [ ! -x "$program" ]; then
  echo 'fetching ifquery' >&2
  mkdir -p "$(dirname "$cache")"
  work=$(mktemp -d "$cache.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  (cd "$work" && apt-get -q download ifupdown-ng >&2) || {
    echo 'ifquery.sh: apt cannot fetch ifupdown-ng; is it Debian, and was apt-get update run?' >&2
    exit 1
  }
  dpkg -x "$work"/ifupdown-ng_*.deb "$work/root"
  # Newer packages have it below /usr.
  [ -d "$work/root/sbin" ] || mv "$work/root/usr/sbin" "$work/root/sbin"
  rm -rf "$cache"
  mv "$work/root" "$cache"
fi
echo "ifquery $program"
