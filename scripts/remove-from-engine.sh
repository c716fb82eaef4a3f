#!/bin/sh
# Removes what an installation made on this machine's engine: its containers, and the images it prepared.
#
#   sh scripts/remove-from-engine.sh ID    ID is in installation.json of its data directory; no process of it runs any more
set -u
id=${1:?the id of the installation is missing; it is in installation.json of its data directory}

for label in installation prepared-for; do
  docker ps -aq --filter "label=org.abaco.$label=$id" | xargs -r docker rm -fv
done
docker images -q --filter "label=org.abaco.prepared-for=$id" | sort -u | xargs -r docker rmi -f
