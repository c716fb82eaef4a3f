#!/bin/sh
# npm run demo:slurm: brings up the installation of docker-compose.slurm.yml, a small supercomputer included, and shows the
# same message on an engine and on Slurm.
#
#   npm run demo:slurm              stays up until Ctrl-C
#   npm run demo:slurm -- --once    ends when everything was shown; 0 only if all of it was right
#
# What was started here is stopped again, whatever happens.
set -u
cd "$(dirname "$0")/.." || exit 1
SETUP_RUN="demo-slurm-$$"
export SETUP_RUN

compose() { docker compose -f docker-compose.slurm.yml "$@"; }

shown=''
left=''
leave() {
  left=yes
  if [ -n "$shown" ]; then kill -TERM "$shown" 2>/dev/null; fi
}
clean() {
  echo 'demo: taking the installation down'
  sh scripts/cluster-down.sh >.cache/compose-down.log 2>&1
  sh scripts/setup.sh stop
}
trap leave TERM HUP
trap 'left=yes' INT

step() {
  "$@" || exit 1
  if [ -n "$left" ]; then exit 130; fi
}

loudly() { # loudly WHAT LOG COMMAND…: its words only where it fails
  echo "demo: $1"
  log=$2
  shift 2
  "$@" >"$log" 2>&1 || {
    tail -n 20 "$log" >&2
    return 1
  }
}

# Whoever has one up has data in it, which the demo would take down with its own.
refuse_another() {
  project=${COMPOSE_PROJECT_NAME:-abaco-slurm}
  ours="label=com.docker.compose.project=$project"
  if [ -z "$(docker ps -aq --filter "$ours")$(docker volume ls -q --filter "$ours")" ]; then return; fi
  echo "demo: an installation \"$project\" is there already, with its data" >&2
  echo 'demo:   type: sh scripts/cluster-down.sh    # takes it down, its data included' >&2
  sh scripts/setup.sh stop
  exit 1
}

step sh scripts/setup.sh cluster
refuse_another
trap clean EXIT
step sh scripts/build-images.sh word-count script
step loudly 'building the images of the installation (a minute the first time)' .cache/compose-build.log compose build
step loudly 'bringing it up: Slurm, OpenLDAP, a registry, Redis, MongoDB, the service' .cache/compose-up.log \
  compose up -d --wait --wait-timeout 240

node_modules/.bin/node scripts/demo-slurm.ts "$@" &
shown=$!
while :; do
  wait "$shown"
  status=$?
  kill -0 "$shown" 2>/dev/null || exit "$status"
done
