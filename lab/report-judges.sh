#!/usr/bin/env bash
# Fetches the judges of the report formats that are missing and prints one line for each: its name and its path.
#   report-judges.sh [--where]     --where prints the lines without fetching anything
#
#   junit-xsd        the schema of JUnit files as Jenkins reads them; from the source distribution of pytest (PyPI)
#   sarif-multitool  Microsoft's validator of SARIF, with the rules of GitHub's code scanning (npm)
#
# They come from package registries through their own clients. Nothing is installed: both lie in the cache.
set -euo pipefail

cache=${XDG_CACHE_HOME:-$HOME/.cache}/k3os-migrate/lab/reports
# The program itself: the wrapper beside it cuts arguments at semicolons.
multitool=node_modules/@microsoft/sarif-multitool-linux/Sarif.Multitool
where=false
complete=true
[ "${1-}" != --where ] || where=true

fail() { # SENTENCE...
  echo "report-judges.sh: $*" >&2
  exit 1
}

need() { # PROGRAM PACKAGE
  command -v "$1" >/dev/null || fail "$1 is missing; install it: apt-get install $2"
}

junit_xsd() { # OUT
  local pip=(python3 -m pip)
  "${pip[@]}" --version >/dev/null 2>&1 || fail 'pip is missing; install it: apt-get install python3-pip'
  echo 'pytest==9.0.2 --hash=sha256:75186651a92bd89611d1d9fc20f0b4345fd827c41ccd5c299a868a05d70edf11' >"$work/requirements.txt"
  "${pip[@]}" --quiet --disable-pip-version-check download --no-deps --no-binary pytest --require-hashes \
    --dest "$work" --requirement "$work/requirements.txt" >&2 || fail 'pip cannot fetch the sources of pytest'
  tar -xzOf "$work"/pytest-*.tar.gz pytest-9.0.2/testing/example_scripts/junit-10.xsd >"$work/junit-10.xsd"
  mv "$work/junit-10.xsd" "$1"
}

sarif_multitool() { # OUT
  need npm npm
  npm install --silent --no-save --no-audit --no-fund --prefix "$work/tool" @microsoft/sarif-multitool@5.7.0 >&2 ||
    fail 'npm cannot fetch @microsoft/sarif-multitool'
  [ -x "$work/tool/$multitool" ] || fail 'sarif-multitool has no program for this machine'
  rm -rf "$cache/multitool"
  mv "$work/tool" "$cache/multitool"
  [ -x "$1" ]
}

fetch() { # NAME OUT
  # Beside the place where it goes, so that the last step is a rename.
  mkdir -p "$cache"
  work=$(mktemp -d "$cache/work.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  case $1 in
    junit-xsd) junit_xsd "$2" ;;
    sarif-multitool) sarif_multitool "$2" ;;
  esac
}

judge() { # NAME OUT
  if ! $where && [ ! -e "$2" ]; then
    echo "fetching $1" >&2
    # One that is not to be had here is no reason to do without the other.
    (fetch "$1" "$2") &
    wait $! || { complete=false; return; }
  fi
  echo "$1 $2"
}

judge junit-xsd "$cache/junit-10.xsd"
judge sarif-multitool "$cache/multitool/$multitool"
$complete
