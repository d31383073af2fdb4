#!/bin/sh
# Builds the Kairos image with the k3s version of this cluster, and an ISO that installs it. Needs docker and internet.
#   sh build-image.sh
set -eu
K3S_VERSION='v1.20.15+k3s1'
KAIROS_INIT="${KAIROS_INIT:-quay.io/kairos/kairos-init:v0.8.0}"
AURORABOOT="${AURORABOOT:-quay.io/kairos/auroraboot:latest}"
# Debian starts on the oldest CPUs; Hadron's own images have the newest k3s only.
BASE="${BASE:-debian:13}"

if [ "$K3S_VERSION" = VERSION ]; then
  echo 'the k3s version of the node is not known: put it into K3S_VERSION in this file' >&2
  exit 1
fi
mkdir -p build
cat >build/Dockerfile <<EOF
FROM $KAIROS_INIT AS init
FROM $BASE
COPY --from=init /kairos-init /kairos-init
RUN /kairos-init -s install -m generic -t false -p k3s --provider-k3s-version "$K3S_VERSION" --version v1.0.0 && \\
    /kairos-init -s init -m generic -t false -p k3s --provider-k3s-version "$K3S_VERSION" --version v1.0.0 && \\
    rm /kairos-init
EOF
docker build --platform linux/amd64 --tag k3os-kairos:local build
docker run --rm --privileged -v /var/run/docker.sock:/var/run/docker.sock -v "$PWD/build:/build" \
  "$AURORABOOT" build-iso --output /build docker:k3os-kairos:local
echo 'the ISO is in build/; the machine takes its configuration from a second medium with the label cidata'
