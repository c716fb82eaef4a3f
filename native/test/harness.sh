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
  # Not inside an `if`: there the shell would let every failing command pass.
  (
    set -e
    cd "$here"
    "$1"
  ) >"$here/case.out" 2>&1
  if [ $? = 0 ]; then
    passed=$((passed + 1))
    sed -n "s|^skipped|skipped $build, ${1#case_}|p" "$here/case.out" | tr _ ' '
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
expect_there() { for each in "$@"; do [ -e "$each" ] || [ -L "$each" ] || fail "$each is not there"; done; }
expect_missing() { for each in "$@"; do { [ ! -e "$each" ] && [ ! -L "$each" ]; } || fail "$each is there"; done; }
expect_over() { if [ "$1" -le "$2" ]; then fail "expected more than $2, found $1"; fi; }
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

# Whether no signal waits for that process any more.
was_taken() { grep -qE '^ShdPnd:[[:space:]]*0+$' "/proc/$1/status"; }

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

# The frames of run/results, one a line: `kept BYTES` with the bytes in hexadecimal, or `dropped COUNT`; `torn` for half
# a frame.
frames() {
  od -An -v -tx1 "${1:-run/results}" | tr -d ' \n' | awk '{
    for (at = 1; at <= length($0); ) {
      size = number(substr($0, at, 8))
      if (substr($0, at, 8) == "ffffffff") {
        print "dropped " number(substr($0, at + 8, 8))
        at += 16
      } else {
        print (at + 7 + 2 * size > length($0) ? "torn " : "kept ") substr($0, at + 8, 2 * size)
        at += 8 + 2 * size
      }
    }
  }
  function number(hex,   place, value) {
    for (place = 1; place <= length(hex); place += 1)
      value = 16 * value + index("0123456789abcdef", substr(hex, place, 1)) - 1
    return value + 0
  }'
}
hex() { printf %s "$1" | od -An -v -tx1 | tr -d ' \n'; }
