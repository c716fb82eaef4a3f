# shellcheck shell=sh
# What every machine of the cluster does when it starts.

say() { echo "cluster: $(hostname): $*"; }

# until_true SECONDS WHAT COMMAND…
until_true() {
  left=$(($1 * 10)) what=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    left=$((left - 1))
    [ "$left" -gt 0 ] || { say "$what did not come up" >&2; exit 1; }
    sleep 0.1
  done
  say "$what is up"
}

# /etc/munge is shared by all machines; the controller makes the key once.
start_munge() {
  until_true 60 "the munge key" test -s /etc/munge/munge.key
  mkdir -p /run/munge
  chown munge: /run/munge
  setpriv --reuid munge --regid munge --init-groups munged
  until_true 20 munge sh -c 'munge -n | unmunge'
}

# Users come from the directory; nslcd asks it with the certificate of its own authority, and ends where there is none.
start_directory_client() {
  until_true 60 "the authority of the directory" test -s /tls/ca.pem
  mkdir -p /run/nslcd
  chown nslcd: /run/nslcd
  nslcd
  until_true 60 "the directory" getent passwd alice
}
