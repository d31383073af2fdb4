#!/bin/sh
# Prints one line for each directory given: "sha256:<hex> <directory>", or "absent <directory>".
#
# The digest covers path, type, mode, owner, time of last change and content (for links: the target) of everything on the
# directory's own file system; for directories not the size, which is the file system's business. Quiet data gives the
# same digest on any system. Whatever cannot be read ends the script: no digest is better than one of a part.
set -eu
LC_ALL=C
export LC_ALL

entries() {
  find . -xdev -type d -exec stat -c 'dir %f %u %g %Y %n' {} +
  find . -xdev ! -type d -exec stat -c 'entry %f %s %u %g %Y %n' {} +
  find . -xdev -type f -exec sha256sum {} +
  # shellcheck disable=SC2016 # for the inner shell
  find . -xdev -type l -exec sh -c 'for link; do printf "link %s %s\n" "$link" "$(readlink "$link")"; done' sh {} +
}

for directory; do
  if [ ! -d "$directory" ]; then
    if [ -e "$directory" ]; then
      echo "fingerprint.sh: $directory is not a directory" >&2
      exit 1
    fi
    echo "absent $directory"
    continue
  fi
  cd "$directory"
  # Two steps, because the status of the first part of a pipe is lost.
  list=$(entries)
  digest=$(printf '%s\n' "$list" | sort | sha256sum)
  echo "sha256:${digest%% *} $directory"
done
