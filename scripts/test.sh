#!/bin/sh
# npm test: set-up, checks, all vitest projects, the native tests. What it started is stopped, also after a failure.
# The last line is `N passed, N failed`; the exit code is 0 only when nothing failed.
set -u
cd "$(dirname "$0")/.." || exit 1

# A service that is missing fails the run here; set it empty to have such tests skipped.
REQUIRE_SERVICES=${REQUIRE_SERVICES-all}
SETUP_RUN="test-$$"
ABACO_TEST_COUNT="$PWD/.cache/test-count"
PATH="$PWD/node_modules/.bin:$PATH"
export REQUIRE_SERVICES SETUP_RUN ABACO_TEST_COUNT PATH

passed=0
failed=0
skipped=0

finish() {
  trap - EXIT
  sh scripts/setup.sh stop
  if [ "$skipped" -gt 0 ]; then echo "$skipped skipped"; fi
  echo "$passed passed, $failed failed"
  [ "$failed" = 0 ] || exit 1
  exit 0
}
# Interrupted is not passed.
trap 'failed=$((failed + 1)); finish' EXIT
trap 'exit 130' INT TERM HUP

setup() { sh scripts/setup.sh test || exit 1; }

check() { sh scripts/check.sh || failed=$((failed + 1)); }

# The reporter writes the counts; without them vitest itself broke.
vitest_projects() {
  rm -f "$ABACO_TEST_COUNT"
  vitest run
  status=$?
  if read -r run_passed run_failed run_skipped <"$ABACO_TEST_COUNT"; then
    passed=$((passed + run_passed))
    failed=$((failed + run_failed))
    skipped=$((skipped + run_skipped))
    if [ "$status" != 0 ] && [ "$run_failed" = 0 ]; then failed=$((failed + 1)); fi
  else
    failed=$((failed + 1))
  fi
}

# They end with a line `N passed, N failed`; without it the run counts as one.
native() {
  output=$(make -s -C native test 2>&1)
  status=$?
  counts=$(printf '%s\n' "$output" | sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed$/\1 \2/p' | tail -n 1)
  native_passed=${counts% *}
  native_failed=${counts#* }
  if [ "$status" = 0 ]; then
    passed=$((passed + ${native_passed:-1}))
  else
    printf '%s\n' "$output"
    passed=$((passed + ${native_passed:-0}))
    if [ "${native_failed:-0}" = 0 ]; then native_failed=1; fi
    failed=$((failed + native_failed))
  fi
  echo "native: ${counts:-no counts, status $status}"
}

setup
check
vitest_projects
native
finish
