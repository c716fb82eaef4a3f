#!/bin/sh
# Takes the installation of docker-compose.slurm.yml down, its data included, with what its supervisor made on this machine's
# engine.
set -u
cd "$(dirname "$0")/.." || exit 1

compose() { docker compose -f docker-compose.slurm.yml "$@"; }

# Whoever of the two is up says whose containers and images they are.
mark=''
for service in supervisor api; do
  # shellcheck disable=SC2016 # a variable of the container
  mark=${mark:-$(compose exec -T "$service" sh -c 'cat "$ABACO_SERVICE_DATA_DIR/installation.json"' 2>/dev/null)}
done
id=$(printf '%s' "$mark" | sed -n 's/.*"installationId":"\([^"]*\)".*/\1/p')

# Whatever is on the network keeps it from being removed.
if [ -n "$id" ]; then
  compose kill supervisor
  sh scripts/remove-from-engine.sh "$id"
fi
compose down -v -t 2
