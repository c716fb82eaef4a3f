#!/bin/sh
# npm run demo: makes the machine ready, builds the sample images, and shows the service at work.
#
#   npm run demo              stays up until Ctrl-C
#   npm run demo -- --once    ends when everything was shown; 0 only if all of it was right
#
# What was started here is stopped again, whatever happens.
set -u
cd "$(dirname "$0")/.." || exit 1
SETUP_RUN="demo-$$"
export SETUP_RUN

shown=''
left=''
# A terminal sends Ctrl-C to all of us; a signal for this shell alone is handed on.
leave() {
  left=yes
  if [ -n "$shown" ]; then kill -TERM "$shown" 2>/dev/null; fi
}
trap leave TERM HUP
trap 'left=yes' INT
trap 'sh scripts/setup.sh stop' EXIT

step() {
  "$@" || exit 1
  if [ -n "$left" ]; then exit 130; fi
}

step sh scripts/setup.sh demo
step sh scripts/build-images.sh word-count counter script

node_modules/.bin/node scripts/demo.ts "$@" &
shown=$!
# `wait` returns early when a signal arrives.
while :; do
  wait "$shown"
  status=$?
  kill -0 "$shown" 2>/dev/null || exit "$status"
done
