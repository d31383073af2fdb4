#!/bin/sh
# Part of the new system: fails unless the world is as k3OS left it, so that k3s never starts without its data or under another
# address. It waits for what may still come.
#   gate BINDS NETWORK STAGED [SECONDS]
#     BINDS     "SOURCE TARGET" lines: folders that must be the same
#     NETWORK   "INTERFACE ADDRESS/PREFIX" and "default via ADDRESS" lines: what k3OS had
#     STAGED    seconds since 1970 when this system was laid down; a clock that is behind has not been set yet
#     SECONDS   how long it waits
set -eu
patience=${4:-180}

missing() {
  while read -r from to; do
    [ "$(stat -c %d:%i "$from" 2>&1)" = "$(stat -c %d:%i "$to" 2>&1)" ] || echo "$to is not $from"
  done <"$1"
  while read -r name address rest; do
    case $name in
      default) ip -4 route show default | grep -q " via $rest\( \|$\)" || echo "the default route is not $rest" ;;
      *) ip -o -4 address show dev "$name" 2>/dev/null | grep -q " $address\( \|$\)" || echo "$name has not $address" ;;
    esac
  done <"$2"
  [ "$(date +%s)" -ge "$(cat "$3")" ] || echo 'the clock is behind the day of the move'
}

second=0
while [ -n "$(missing "$@")" ]; do
  [ "$second" -lt "$patience" ] || {
    missing "$@" >&2
    exit 1
  }
  second=$((second + 3))
  sleep 3
done
