#!/bin/sh
# Part of the new system: fails unless every folder of k3OS is at its old place, so that k3s never starts without its data.
#   gate FILE      "SOURCE TARGET" lines
set -eu
while read -r from to; do
  [ "$(stat -c %d:%i "$from")" = "$(stat -c %d:%i "$to")" ] || {
    echo "$to is not $from" >&2
    exit 1
  }
done <"${1:?}"
