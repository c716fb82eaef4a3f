#!/bin/sh
# Gathers what the service needs to run, and nothing else, in .cache/service: the context of images/service/Dockerfile.
# Needs node_modules, the native helper and the agent (sh scripts/setup.sh cluster).
set -eu
cd "$(dirname "$0")/.."
stage=.cache/service
rm -rf "$stage"
mkdir -p "$stage/scripts" "$stage/native" "$stage/node_modules/.bin"
cp -R package.json src launchers config slurm-templates dist "$stage/"
mkdir "$stage/native/build"
cp native/build/abaco-start native/build/result "$stage/native/build/"
cp scripts/abaco "$stage/scripts/"
# Dependencies of the service alone; those of the tests are four times as much.
npm ls --omit=dev --all --parseable 2>/dev/null | sed -n "s|^$PWD/||p" | while read -r package; do
  mkdir -p "$stage/$(dirname "$package")"
  cp -R "$package" "$stage/$(dirname "$package")/"
done
cp node_modules/node/bin/node "$stage/node_modules/.bin/node"
