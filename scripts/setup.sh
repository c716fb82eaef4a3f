#!/bin/sh
# Makes this machine able to run the project: installs what is missing, starts what is not running, says each step.
#
#   sh scripts/setup.sh demo    Redis, a container engine, the base image, node_modules, the native helper, the agent
#   sh scripts/setup.sh cluster that, and Docker Compose and a MongoDB stand-in, for the small supercomputer
#   sh scripts/setup.sh test    that, and what only tests need: a registry, a MongoDB stand-in, strace, SSH, Schemathesis, agavepy
#   sh scripts/setup.sh node    Node and npm alone, which `npm test` itself needs
#   sh scripts/setup.sh stop    stops the engine that an earlier call started
#
# Running it again does only what is still missing. Root (or sudo) is needed for packages and for the engine only.
# Where something cannot be had, it says what is missing and what to type, and ends with 1.
#
# Environment: DOCKER_HOST (a unix socket) is the engine to use, or to start; SETUP_ENGINE_ARGS are more arguments for
# the dockerd started here; SETUP_RUN names the caller, so that `stop` with the same name stops only what that
# caller started.
set -u
cd "$(dirname "$0")/.." || exit 1

cache="$PWD/.cache"
engine="$cache/engine"
base_image=debian:trixie-slim
base_suite=trixie

say() { echo "setup: $*"; }

# fail WHAT REMEDY…: every remedy is a line to type.
fail() {
  echo "setup: $1" >&2
  shift
  for remedy in "$@"; do echo "setup:   type: $remedy" >&2; done
  exit 1
}

has() { command -v "$1" >/dev/null 2>&1; }

# --- root ---------------------------------------------------------------------------------------------------------

can_be_root() { [ "$(id -u)" = 0 ] || { has sudo && { [ -t 0 ] || sudo -n true 2>/dev/null; }; }; }

as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif [ -t 0 ]; then
    sudo "$@"
  else
    sudo -n "$@"
  fi
}

# --- packages -----------------------------------------------------------------------------------------------------

missing=''
# need PACKAGE COMMAND: notes the package when the command is not there.
need() {
  if ! has "$2" && [ ! -x "/usr/sbin/$2" ]; then missing="$missing $1"; fi
}

apt_get() { as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 "$@"; }

# Packages whose services Debian would start at once are told not to: we start our own, and stop them again.
install_packages() {
  policy=/usr/sbin/policy-rc.d
  ours=''
  if [ ! -e "$policy" ]; then
    ours=yes
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
    as_root chmod +x "$policy"
  fi
  # Slim images have no manual pages; Java's packages fail without the directory.
  as_root mkdir -p /usr/share/man/man1
  # shellcheck disable=SC2086 # a list of words
  apt_get install -y --no-install-recommends $missing >"$cache/apt.log" 2>&1 || {
    apt_get update >"$cache/apt.log" 2>&1 &&
      apt_get install -y --no-install-recommends $missing >>"$cache/apt.log" 2>&1
  }
  status=$?
  if [ -n "$ours" ]; then as_root rm -f "$policy"; fi
  return $status
}

ensure_packages() {
  if [ -z "$missing" ]; then
    say "packages: nothing is missing"
    return
  fi
  has apt-get || fail "these are missing, and there is no apt-get to install them:$missing" \
    "install them with this system's own package manager (the names are Debian's)"
  can_be_root || fail "these packages are missing, and I am not root:$missing" \
    "sudo apt-get install --no-install-recommends$missing"
  say "packages: installing$missing"
  install_packages || {
    tail -n 15 "$cache/apt.log" >&2
    fail "these packages could not be installed:$missing" "apt-get update && apt-get install --no-install-recommends$missing"
  }
}

# --- the container engine -----------------------------------------------------------------------------------------

engine_answers() { has docker && timeout 10 docker version --format '{{.Server.Version}}' >/dev/null 2>&1; }

engine_socket() {
  case "${DOCKER_HOST:-unix:///var/run/docker.sock}" in
  unix://*) echo "${DOCKER_HOST:-unix:///var/run/docker.sock}" | sed 's|^unix://||' ;;
  *) fail "the engine at DOCKER_HOST=$DOCKER_HOST does not answer, and only one on a unix socket can be started" \
    "unset DOCKER_HOST" ;;
  esac
}

need_engine() {
  if ! engine_answers; then
    need docker.io dockerd
    need ca-certificates update-ca-certificates
  fi
}

ensure_engine() {
  # Since trixie the command line is a package of its own; before, docker.io brought it.
  if ! has docker; then
    missing=' docker-cli'
    ensure_packages
  fi
  if engine_answers; then
    say "engine: $(docker version --format '{{.Server.Version}}') answers"
    return
  fi
  socket=$(engine_socket) || exit 1
  if [ -S "$socket" ] && [ ! -w "$socket" ]; then
    fail "an engine is there, but this user may not use $socket" "sudo usermod -aG docker $(id -un); newgrp docker"
  fi
  can_be_root || fail "no container engine answers, and I am not root, so I cannot start one" \
    "sudo systemctl start docker" "sudo dockerd & (where there is no systemd)"
  start_engine "$socket"
}

start_engine() {
  mkdir -p "$engine"
  say "engine: starting dockerd (log: ${engine#"$PWD"/}/dockerd.log)"
  # In a subshell, so that nothing keeps the caller's own output open once this script is done.
  # shellcheck disable=SC2086 # SETUP_ENGINE_ARGS is a list of words
  (as_root setsid dockerd -H "unix://$1" --pidfile "$engine/dockerd.pid" --group "$(id -gn)" ${SETUP_ENGINE_ARGS:-}) \
    </dev/null >"$engine/dockerd.log" 2>&1 &
  echo "${SETUP_RUN:-setup}" >"$engine/started-by"
  waited=0
  until engine_answers; do
    waited=$((waited + 1))
    if [ "$waited" -gt 60 ] || { [ "$waited" -gt 4 ] && ! engine_pid >/dev/null; }; then
      tail -n 15 "$engine/dockerd.log" >&2
      stop_engine
      fail "dockerd did not come up; the end of its log is above" "sudo dockerd"
    fi
    sleep 0.5
  done
}

# The process id of the dockerd we started, if it still is that one.
engine_pid() {
  pid=$(cat "$engine/dockerd.pid" 2>/dev/null) || return 1
  tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -q -F -- "--pidfile $engine/dockerd.pid" || return 1
  echo "$pid"
}

stop_engine() {
  if ! pid=$(engine_pid); then
    rm -f "$engine/started-by"
    return 0
  fi
  if [ -n "${SETUP_RUN:-}" ] && [ "$(cat "$engine/started-by" 2>/dev/null)" != "$SETUP_RUN" ]; then return 0; fi
  say "engine: stopping the dockerd started here"
  as_root kill "$pid"
  waited=0
  while [ -d "/proc/$pid" ] && [ "$waited" -lt 60 ]; do
    waited=$((waited + 1))
    sleep 0.5
  done
  if [ -d "/proc/$pid" ]; then as_root kill -9 "$pid"; fi
  rm -f "$engine/started-by"
}

# --- docker compose (for the cluster) -----------------------------------------------------------------------------

compose_answers() { docker compose version >/dev/null 2>&1; }

# Debian has version 2 since trixie; on an older one it comes from there, and nothing else does.
ensure_compose() {
  if compose_answers; then
    say "compose: $(docker compose version --short) is there"
    return
  fi
  has apt-get && can_be_root || fail "docker compose is missing" "install version 2 of Docker Compose (docker compose version)"
  say "compose: installing docker-compose of Debian $base_suite"
  if ! apt-cache policy docker-compose 2>/dev/null | grep -q 'Candidate: 2'; then
    printf 'Types: deb\nURIs: %s\nSuites: %s\nComponents: main\nSigned-By: %s\n' \
      "$(debian_mirror)" "$base_suite" /usr/share/keyrings/debian-archive-keyring.gpg |
      as_root tee /etc/apt/sources.list.d/abaco-compose.sources >/dev/null
    printf 'Package: *\nPin: release n=%s\nPin-Priority: 100\n' "$base_suite" |
      as_root tee /etc/apt/preferences.d/abaco-compose >/dev/null
    apt_get update >"$cache/apt.log" 2>&1
    missing=" docker-compose/$base_suite"
  else
    missing=' docker-compose'
  fi
  ensure_packages
  compose_answers || fail "docker compose was installed and does not answer" "docker compose version"
}

# --- the base image -----------------------------------------------------------------------------------------------

need_base_image_tools() {
  if ! engine_answers || ! docker image inspect "$base_image" >/dev/null 2>&1; then
    need mmdebstrap mmdebstrap
    # Without root it works in a user namespace, which this package lets it set up.
    if [ "$(id -u)" != 0 ]; then need uidmap newuidmap; fi
  fi
}

# Asked for its manifest first: without a registry in reach, `docker pull` takes minutes to say so.
pull_base_image() {
  timeout 8 docker manifest inspect "$base_image" >/dev/null 2>&1 && timeout 300 docker pull -q "$base_image" >/dev/null 2>&1
}

debian_mirror() {
  # shellcheck disable=SC2016 # apt-get fills the fields in
  mirror=$(apt-get indextargets --format '$(LABEL) $(REPO_URI)' 'Identifier: Packages' 2>/dev/null |
    sed -n 's/^Debian \(http[^ ]*\)$/\1/p' | head -n 1)
  echo "${mirror:-http://deb.debian.org/debian}"
}

build_base_image() {
  tree="$cache/$base_suite.tar"
  mmdebstrap --quiet --variant=minbase \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' \
    "$base_suite" "$tree" "$(debian_mirror)" >"$cache/mmdebstrap.log" 2>&1 || return 1
  docker import --change 'CMD ["bash"]' "$tree" "$base_image" >/dev/null || return 1
  rm -f "$tree"
}

ensure_base_image() {
  if docker image inspect "$base_image" >/dev/null 2>&1; then
    say "base image: $base_image is there"
  elif pull_base_image; then
    say "base image: pulled $base_image"
  else
    say "base image: no registry answers; making $base_image from $(debian_mirror) (half a minute)"
    build_base_image || {
      tail -n 15 "$cache/mmdebstrap.log" >&2
      fail "$base_image could neither be pulled nor be made" "docker pull $base_image"
    }
  fi
}

# --- node_modules -------------------------------------------------------------------------------------------------

need_node() {
  need nodejs node
  need npm npm
}

ensure_node_modules() {
  if node scripts/dependencies-installed.mjs; then
    say "node_modules: up to date"
    return
  fi
  say "node_modules: npm ci"
  if ! install_node_modules >"$cache/npm.log" 2>&1; then
    tail -n 15 "$cache/npm.log" >&2
    fail "npm ci did not work; the end of what it said is above" "npm ci"
  fi
}

# Of all install scripts only the one that fetches the pinned node is needed; older npm would run them all, whatever
# `allowScripts` says. The second way in is for a lock file written in reach of a registry that lacks the packages of
# other platforms: npm leaves them out of it, and `npm ci` then refuses its own work.
install_node_modules() {
  if ! npm ci --ignore-scripts --loglevel=error; then
    npm install --no-save --ignore-scripts --loglevel=error || return 1
  fi
  npm rebuild node --loglevel=error && node scripts/dependencies-installed.mjs
}

# --- the native helper --------------------------------------------------------------------------------------------

need_compiler() {
  need gcc gcc
  need make make
  if [ ! -e /usr/include/stdio.h ]; then missing="$missing libc6-dev"; fi
}

ensure_native() {
  make -C native >"$cache/native.log" 2>&1 || {
    tail -n 15 "$cache/native.log" >&2
    fail "the native helper was not built; what the compiler said is above" "make -C native"
  }
  say "native: native/build/abaco-start is built"
}

# --- the agent ----------------------------------------------------------------------------------------------------

# One file, for hosts that have nothing of ours.
ensure_agent() {
  node_modules/.bin/esbuild launchers/host/agent/main.ts --bundle --platform=node --format=esm --log-level=error \
    --outfile=dist/abaco-agent.mjs || fail "the agent was not bundled; see above"
  say "agent: dist/abaco-agent.mjs is bundled"
}

# --- the MongoDB stand-in (tests only) ----------------------------------------------------------------------------

mongo=test/support/mongo
copier=org.apache.maven.plugins:maven-dependency-plugin:3.8.1

need_java() {
  if [ -n "${ABACO_TEST_MONGO_URL:-}" ]; then return; fi
  need default-jdk-headless javac
  if ! mongo_jars_match; then need maven mvn; fi
}

mongo_jars_match() { cmp -s "$mongo/pom.xml" "$cache/mongo/pom.xml"; }

ensure_mongo() {
  if [ -n "${ABACO_TEST_MONGO_URL:-}" ]; then
    say "mongo: tests use ABACO_TEST_MONGO_URL"
    return
  fi
  if ! mongo_jars_match; then
    say "mongo: fetching the stand-in's jars from Maven Central"
    rm -rf "$cache/mongo"
    mkdir -p "$cache/mongo"
    mvn -q -B -f "$mongo/pom.xml" "$copier:copy-dependencies" -DoutputDirectory="$cache/mongo/lib" \
      >"$cache/mongo/mvn.log" 2>&1 || {
      tail -n 15 "$cache/mongo/mvn.log" >&2
      fail "the MongoDB stand-in could not be fetched" "export ABACO_TEST_MONGO_URL=mongodb://… (any MongoDB will do)"
    }
    cp "$mongo/pom.xml" "$cache/mongo/pom.xml"
  fi
  class="$cache/mongo/classes/MongoStandIn.class"
  if [ ! -e "$class" ] || [ "$mongo/MongoStandIn.java" -nt "$class" ]; then
    javac -Xlint:all -Werror -cp "$cache/mongo/lib/*" -d "$cache/mongo/classes" "$mongo/MongoStandIn.java" ||
      fail "the MongoDB stand-in's launcher does not compile; see above"
  fi
  say "mongo: the stand-in is in ${cache#"$PWD"/}/mongo"
}

# --- Python clients (tests only) ----------------------------------------------------------------------------------

python_clients="$cache/python-clients"
python_wanted=test/clients/python

need_python_clients() {
  need openssl openssl
  need curl curl
  need python3 python3
  if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then missing="$missing python3-venv"; fi
}

# A Python with the clients, and the same clients as a directory that containers are given.
python_clients() {
  if cat "$python_wanted"/*.txt | cmp -s - "$python_clients/installed"; then
    say "python clients: in ${python_clients#"$PWD"/}"
    return
  fi
  say "python clients: fetching agavepy from PyPI"
  rm -rf "$python_clients"
  mkdir -p "$python_clients"
  pip="$python_clients/venv/bin/python -m pip install --quiet --no-deps --disable-pip-version-check"
  # shellcheck disable=SC2086 # a list of words
  if ! { python3 -m venv "$python_clients/venv" && $pip -r "$python_wanted/requirements.txt" &&
    $pip --target "$python_clients/agavepy" -r "$python_wanted/agavepy.txt"; } >"$cache/python-clients.log" 2>&1; then
    tail -n 15 "$cache/python-clients.log" >&2
    fail "the Python clients were not installed; the end of what pip said is above" "sh scripts/setup.sh test"
  fi
  cat "$python_wanted"/*.txt >"$python_clients/installed"
}

# --- Schemathesis (tests only) ------------------------------------------------------------------------------------

schemathesis="$cache/schemathesis"
schemathesis_pins=test/schemathesis/requirements.txt

ensure_schemathesis() {
  if cmp -s "$schemathesis_pins" "$schemathesis/requirements.txt"; then
    say "schemathesis: up to date"
    return
  fi
  say "schemathesis: installing from PyPI"
  rm -rf "$schemathesis"
  { python3 -m venv "$schemathesis" &&
    "$schemathesis/bin/pip" install -q --disable-pip-version-check -r "$schemathesis_pins"; } >"$cache/pip.log" 2>&1 || {
    tail -n 15 "$cache/pip.log" >&2
    fail "Schemathesis could not be installed" "$schemathesis/bin/pip install -r $schemathesis_pins"
  }
  cp "$schemathesis_pins" "$schemathesis/requirements.txt"
}

# ------------------------------------------------------------------------------------------------------------------

setup_demo() {
  ensure_packages
  ensure_engine
  ensure_base_image
  ensure_node_modules
  ensure_native
  ensure_agent
}

need_for_demo() {
  need redis-server redis-server
  need_engine
  need_base_image_tools
  need_node
  need_compiler
}

mkdir -p "$cache"
case "${1:-}" in
demo)
  need_for_demo
  setup_demo
  ;;
test)
  need_for_demo
  need docker-registry docker-registry
  need strace strace
  need openssh-server sshd
  need openssh-client ssh-keygen
  need busybox-static busybox
  need_java
  need_python_clients
  setup_demo
  ensure_compose
  ensure_mongo
  python_clients
  ensure_schemathesis
  ;;
cluster)
  need_for_demo
  need_java
  setup_demo
  ensure_compose
  ensure_mongo
  sh scripts/stage-service.sh || fail "the service could not be gathered for its image; see above"
  say "service: gathered in ${cache#"$PWD"/}/service"
  ;;
node)
  need_node
  ensure_packages
  ;;
stop) stop_engine ;;
*) fail "usage: sh scripts/setup.sh node | demo | cluster | test | stop" ;;
esac
