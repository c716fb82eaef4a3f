#!/bin/sh
# Every case against the program as it is installed and against the one under the sanitizers.
# The last line is `N passed, N failed`; what was started is killed, what was made is removed.
set -u
cd "$(dirname "$0")/.." || exit 1
native=$PWD
scratch=$(mktemp -d)
chmod 755 "$scratch"

# Cases start things that must not outlive them, also when they fail: what they noted, and all that works in their
# directories.
finish() {
  for pid in $(find "$scratch" -name pids -exec cat {} +); do kill -9 "$pid" 2>/dev/null; done
  for cwd in $(find /proc -maxdepth 2 -name cwd -lname "$scratch/*" 2>/dev/null); do
    cwd=${cwd#/proc/}
    kill -9 "${cwd%/cwd}" 2>/dev/null
  done
  rm -rf "$scratch"
}
trap finish EXIT
trap 'exit 130' INT TERM HUP

. test/harness.sh
for file in test/start.sh test/rank.sh test/results.sh test/result.sh; do . "./$file"; done

# A leak is the process's own affair when it ends at once; everything else that the sanitizers find ends the case.
ASAN_OPTIONS=detect_leaks=0:abort_on_error=1
UBSAN_OPTIONS=print_stacktrace=1
LC_ALL=C
export ASAN_OPTIONS UBSAN_OPTIONS LC_ALL
# Descriptors that somebody handed to us would look like ones the program leaks.
exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-

for build in build build/sanitized; do
  program=$native/$build/abaco-start
  result=$native/$build/result
  for file in test/start.sh test/rank.sh test/results.sh test/result.sh; do
    for name in $(cases_of "$file"); do run_case "$name"; done
  done
done

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
