#!/usr/bin/env bash
# Builds the binaries of the lab that are missing and prints one line for each: its module and its path.
#   build.sh [--where] [MODULE...]     --where prints the lines without building anything
#
# A binary's folder is named after what it was built from, so that an old one is never taken for a new one.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

cache=${XDG_CACHE_HOME:-$HOME/.cache}/k3os-migrate/lab
where=false
[ "${1-}" != --where ] || { where=true; shift; }
[ $# -gt 0 ] || set -- k8s-1.35 k8s-1.20

go_wanted='Go 1.21 or newer, which fetches the 1.26 it needs by itself: apt-get install golang-go (Debian 13 and later)'
command -v go >/dev/null || { echo "build.sh: go is missing; install $go_wanted" >&2; exit 1; }
case $(go env GOVERSION) in
  go1.[0-9] | go1.[0-9].* | go1.1[0-9]* | go1.20*)
    echo "build.sh: $(go env GOVERSION) is too old; install $go_wanted" >&2
    exit 1
    ;;
esac
# The person's own Go settings must not change what is built.
export CGO_ENABLED=0 GOWORK=off GOFLAGS=-buildvcs=false

key() { # MODULE
  { go env GOVERSION GOOS GOARCH && cat build.sh "$1"/* multicall/* openapi-gen/*; } | sha256sum | cut -c1-16
}

# Without these kubectl cannot parse the answer to /version. Old servers answer from client-go's copy.
linker_flags() { # MODULE
  local version minor package
  version=$(awk '$1 == "k8s.io/kubernetes" { print $2; exit }' "$1/go.mod")
  minor=${version#v1.}
  printf '%s' '-s -w'
  for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
    printf ' -X %s.gitVersion=%s -X %s.gitMajor=1 -X %s.gitMinor=%s' \
      "$package" "$version" "$package" "$package" "${minor%%.*}"
    printf ' -X %s.gitTreeState=clean -X %s.buildDate=1970-01-01T00:00:00Z' "$package" "$package"
  done
}

# The published module of Kubernetes 1.20 lacks a file that its own build generates, and Go refuses to compile with
# files added to the module cache: so this module is built from a vendored copy that gets the file.
vendor_with_openapi() { # MODULE WORK
  local packages vendor=$2/$1/vendor
  cp -R "$1" multicall "$2"
  go -C openapi-gen build -o "$2/openapi-gen" k8s.io/kube-openapi/cmd/openapi-gen
  cd "$2/$1"
  go mod vendor
  # The server's internal types are never served.
  mapfile -t packages < <(grep -rl --include='*.go' '+k8s:openapi-gen=true' vendor/k8s.io | xargs -n1 dirname |
    sort -u | sed 's,^vendor/,,' | grep -v -e '^k8s.io/kubernetes/' -e '^k8s.io/kube-openapi/')
  "$2/openapi-gen" --go-header-file /dev/null --report-filename "$2/violations" \
    --output-dir "$vendor/k8s.io/kubernetes/pkg/generated/openapi" --output-file zz_generated.openapi.go \
    --output-pkg k8s.io/kubernetes/pkg/generated/openapi "${packages[@]}"
  # The generator is newer than the server, which still had these types from go-openapi.
  sed -i 's,k8s.io/kube-openapi/pkg/validation/spec,github.com/go-openapi/spec,' \
    "$vendor/k8s.io/kubernetes/pkg/generated/openapi/zz_generated.openapi.go"
}

build() { # MODULE OUT
  local flags dir=$1 work=${2%/*}.build
  flags=$(linker_flags "$1")
  rm -rf "$work"
  mkdir -p "$work" "${2%/*}"
  if [ "$1" = k8s-1.20 ]; then
    (vendor_with_openapi "$1" "$work")
    dir=$work/$1
  fi
  go -C "$dir" build -trimpath -tags providerless -ldflags "$flags" -o "$work/k8s" .
  # Renamed when whole: an interrupted build leaves nothing that looks like a binary.
  mv "$work/k8s" "$2"
  rm -rf "$work"
}

for module; do
  [ -f "$module/main.go" ] || { echo "build.sh: there is no module $module in $PWD" >&2; exit 1; }
  out=$cache/$module-$(key "$module")/k8s
  if ! $where && [ ! -x "$out" ]; then
    echo "building $module, which takes minutes when Go's cache is cold" >&2
    build "$module" "$out"
  fi
  echo "$module $out"
done
