#!/bin/sh
# Builds the sample actors under images/actors/, each as abaco/NAME. They need debian:trixie-slim;
# those with Python need Debian's archive too.
#
#   sh scripts/build-images.sh             all of them
#   sh scripts/build-images.sh counter     those that are named
set -u
cd "$(dirname "$0")/../images/actors" || exit 1

if [ $# = 0 ]; then
  for file in */Dockerfile; do set -- "$@" "${file%/Dockerfile}"; done
fi
built=' '
build() {
  case "$built" in *" $1 "*) return ;; esac
  # One that stands on another of ours is built after it.
  for below in $(sed -n 's|^FROM abaco/||p' "$1/Dockerfile"); do build "$below"; done
  name=$1
  output=$(docker build --quiet --tag "abaco/$name" "$name" 2>&1) || {
    printf '%s\n' "$output" >&2
    echo "images: abaco/$name was not built; what the engine said is above" >&2
    exit 1
  }
  echo "images: abaco/$name is built"
  built="$built$name "
}
for wanted in "$@"; do build "$wanted"; done
