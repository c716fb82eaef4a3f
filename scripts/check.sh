#!/bin/sh
# npm run check: types, lint, format, layers, dead code. Runs all of them, then fails if one did.
set -u
cd "$(dirname "$0")/.." || exit 1
PATH="$PWD/node_modules/.bin:$PATH"

rooms=''
for room in src launchers test bench scripts; do
  if [ -d "$room" ]; then rooms="$rooms $room"; fi
done

failed=''
step() { # step NAME COMMAND…: silent when all is well
  name=$1
  shift
  if output=$("$@" 2>&1); then
    echo "check: $name ok"
  else
    printf '%s\n' "$output"
    echo "check: $name FAILED"
    failed="$failed $name"
  fi
}

step types tsc --noEmit
step lint oxlint --type-aware --deny-warnings
step format biome check .
# shellcheck disable=SC2086 # a list of words
step layers node --import ./scripts/typescript-for-layers.ts node_modules/dependency-cruiser/bin/dependency-cruiser.mjs --no-progress $rooms
step dead-code knip --no-progress
if [ -n "$failed" ]; then
  echo "check: failed:$failed"
  exit 1
fi
