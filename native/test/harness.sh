# Cases and what they say of what they saw. A case is a function `case_…`; it runs in a directory of its own with
# `ledger/` and `run/` in it, and fails by any command that fails.

passed=0
failed=0

# Every case function of a file, in its order.
cases_of() { sed -n 's/^\(case_[a-z0-9_]*\)().*/\1/p' "$1"; }

run_case() {
  here=$scratch/$build/$1
  mkdir -p "$here/ledger" "$here/run"
  : >"$here/run/env"
  if (cd "$here" && set -e && "$1") >"$here/case.out" 2>&1; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "FAIL $build: $(echo "${1#case_}" | tr _ ' ')"
    sed 's/^/  | /' "$here/case.out"
  fi
}

fail() {
  echo "$*"
  exit 1
}

expect_equal() { [ "$1" = "$2" ] || fail "expected \"$2\", found \"$1\" ${3:-}"; }
expect_file() { expect_equal "$(cat "$1")" "$2" "in $1"; }
expect_says() { grep -q -e "$2" "$1" || fail "\"$2\" is not said in $1: $(cat "$1")"; }

# Until the command succeeds, 10 s at most.
until_true() {
  tries=0
  until "$@" 2>/dev/null; do
    tries=$((tries + 1))
    [ $tries -lt 500 ] || fail "waited in vain for: $*"
    sleep 0.02
  done
}

# The helper's own exit code is in `code`, what it said in `said`.
helper() {
  code=0
  "$program" "$@" 2>said || code=$?
}

common="--ledger ledger --run run --grace 200 --log-limit 65536 --result-limit 1024"

# start [OPTION…] -- PROGRAM [ARG…]
start() { helper start $common --not-after 9999999999 "$@"; }

# A field of the end record.
ended() { sed -n "s/^$1 //p" ledger/end; }
expect_ended() { expect_equal "$(ended "$1")" "$2" "($1 of the end record: $(tr '\n' ';' <ledger/end))"; }

# The frames of run/results, one a line: `kept BYTES` with the bytes in hexadecimal, or `dropped COUNT`.
frames() {
  od -An -v -tx1 "${1:-run/results}" | tr -d ' \n' | awk '{
    text = $0
    while (length(text) > 0) {
      size = number(substr(text, 1, 8))
      if (substr(text, 1, 8) == "ffffffff") { print "dropped " number(substr(text, 9, 8)); text = substr(text, 17); continue }
      print "kept " substr(text, 9, 2 * size)
      text = substr(text, 9 + 2 * size)
    }
  }
  function number(hex,   at, value) {
    for (at = 1; at <= length(hex); at += 1) value = 16 * value + index("0123456789abcdef", substr(hex, at, 1)) - 1
    return value + 0
  }'
}
hex() { printf %s "$1" | od -An -v -tx1 | tr -d ' \n'; }
