# The use `start`: marker, environment, log, signals, time limit, end record.

send=$native/build/test/send-datagrams

# Long enough for any case, and over by itself when the case fails.
linger='n=0; while [ $n -lt 1000 ]; do sleep 0.02; n=$((n + 1)); done'

# In the background; `pid` is the helper's. READY is written by the program when it can be signalled.
start_behind() {
  "$program" start $common --not-after 9999999999 "$@" 2>said &
  pid=$!
  echo $pid >pids
  until_true [ -e ready ]
}
wait_for_helper() {
  code=0
  wait $pid || code=$?
}

# --- the start marker

case_the_first_start_takes_the_marker_and_its_name_stands_in_the_end_record() {
  start --label host-7 -- true
  expect_equal $code 0
  owner=$(readlink ledger/start)
  echo "$owner" | grep -qE '^[0-9a-f]{32}@host-7$' || fail "marker: $owner"
  expect_ended owner "$owner"
}

case_without_a_label_the_name_is_random_alone() {
  start -- true
  readlink ledger/start | grep -qE '^[0-9a-f]{32}$' || fail "marker: $(readlink ledger/start)"
}

case_the_marker_stands_before_the_program_starts() {
  start -- readlink ledger/start
  expect_file run/log "$(readlink ledger/start)"
}

case_a_second_start_is_refused_and_starts_nothing() {
  start -- sh -c 'echo one >> count'
  start -- sh -c 'echo two >> count'
  expect_equal $code 113
  expect_says said 'another start holds the marker'
  expect_file count one
}

case_a_closed_marker_starts_nothing() {
  ln -s closed:cancelled ledger/start
  start -- touch started
  expect_equal $code 113
  expect_missing started
  expect_missing ledger/end
}

case_a_marker_that_is_no_link_starts_nothing() {
  : >ledger/start
  start -- touch started
  expect_equal $code 113
  expect_missing started ledger/end
}

case_a_refused_start_leaves_the_other_one_its_socket_and_its_log() {
  start_behind -- sh -c 'echo first; touch ready; until [ -e go ]; do sleep 0.02; done'
  start -- sh -c 'echo second'
  expect_equal $code 113
  printf 42 | ABACO_RESULTS_SOCKET=run/results.sock "$result"
  touch go
  wait $pid
  expect_file run/log first
  expect_equal "$(frames)" "kept $(hex 42)"
}

case_a_ledger_entry_that_is_not_there_starts_nothing_and_is_never_made() {
  rmdir ledger
  start -- touch started
  expect_equal $code 113
  expect_missing started
  expect_missing ledger
}

case_a_start_after_its_time_is_refused_and_leaves_the_marker_free() {
  helper start $common --not-after 1000000000 -- touch started
  expect_equal $code 113
  expect_says said 'too late'
  expect_missing started
  expect_missing ledger/start
}

case_of_two_starts_at_once_exactly_one_runs() {
  for round in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    mkdir "ledger/$round"
    for each in a b; do
      mkdir -p "run/$round"
      : >"run/$round/env"
      "$program" start $common --ledger "ledger/$round" --run "run/$round" --not-after 9999999999 -- sh -c "echo $round >> count" 2>/dev/null &
    done
  done
  wait
  expect_equal "$(sort -n count | tr '\n' ' ')" "$(seq 20 | tr '\n' ' ')"
}

# --- the environment

case_the_environment_is_what_was_handed_over_with_the_file_over_it() {
  printf 'TWO=from the file\0ODD=a "b" $c `d`\n\\e\0TWO=later wins\0with space=and = sign\0' >run/env
  ONE=inherited TWO=inherited start -- env -0
  tr '\n\0' '~\n' <run/log >seen
  expect_says seen '^ONE=inherited$'
  expect_says seen '^TWO=later wins$'
  expect_says seen '^ODD=a "b" $c `d`~\\e$'
  expect_says seen '^with space=and = sign$'
  expect_equal "$(grep -c '^TWO=' seen)" 1
}

case_the_program_is_found_by_the_path_it_will_have() {
  mkdir bin
  printf '#!/bin/sh\necho mine\n' >bin/greet
  chmod +x bin/greet
  printf 'PATH=%s/bin:/usr/bin:/bin\0' "$PWD" >run/env
  start -- greet
  expect_file run/log mine
}

case_without_a_path_it_looks_where_programs_are() {
  code=0
  env -u PATH "$program" start $common --not-after 9999999999 -- env || code=$?
  expect_equal $code 0
  if grep -q '^PATH=' run/log; then fail "$(cat run/log)"; fi
}

case_a_later_directory_of_the_path_helps_where_an_earlier_one_does_not() {
  mkdir one two
  : >one/greet
  printf '#!/bin/sh\necho mine\n' >two/greet
  chmod +x two/greet
  printf 'PATH=%s/missing:%s/one:%s/two:/usr/bin:/bin\0' "$PWD" "$PWD" "$PWD" >run/env
  start -- greet
  expect_equal $code 0
  expect_file run/log mine
}

case_entries_without_a_value_and_a_last_one_without_its_end_do_no_harm() {
  printf 'nonsense\0=nameless\0\0EMPTY=\0LAST=is read' >run/env
  start -- env
  expect_says run/log '^EMPTY=$'
  expect_says run/log '^LAST=is read$'
  if grep -qE 'nonsense|nameless' run/log; then fail "$(cat run/log)"; fi
}

case_a_run_directory_that_is_not_there_leaves_the_marker_free() {
  rm -r run
  start -- touch started
  expect_equal $code 114
  expect_missing started ledger/start
}

case_a_log_that_cannot_be_written_leaves_the_marker_free() {
  mkdir run/log
  start -- touch started
  expect_equal $code 114
  expect_says said 'the log in "run" cannot be written: Is a directory'
  expect_missing started ledger/start
}

case_an_environment_that_cannot_be_read_leaves_the_marker_free() {
  rm run/env
  start -- touch started
  expect_equal $code 114
  expect_says said 'environment'
  expect_missing started
  expect_missing ledger/start
}

# --- streams and the log

case_standard_input_is_empty() {
  start -- cat
  expect_equal $code 0
  expect_file run/log ''
}

case_both_streams_keep_their_order() {
  start -- sh -c 'for n in 1 2 3 4 5; do echo "out $n"; echo "err $n" >&2; done'
  expect_file run/log "$(for n in 1 2 3 4 5; do echo "out $n"; echo "err $n"; done)"
}

case_a_log_beyond_its_limit_keeps_the_first_bytes_and_stops_no_writer() {
  start --log-limit 1000 -- sh -c 'head -c 3000000 /dev/zero | tr "\0" x; echo done >finished'
  expect_equal $code 0
  expect_file finished done
  expect_equal "$(wc -c <run/log)" 1000
  expect_ended log-bytes 1000
  expect_ended log-total-bytes 3000000
}

case_a_log_limit_of_nothing_keeps_nothing() {
  start --log-limit 0 -- echo hello
  expect_file run/log ''
  expect_ended log-bytes 0
  expect_ended log-total-bytes 6
}

case_the_log_is_added_to_what_is_there() {
  echo before >run/log
  start -- echo after
  expect_file run/log 'before
after'
  expect_ended log-bytes 6
}

case_a_full_disk_is_told_and_stops_no_writer() {
  # A file may grow to 8 × 512 bytes; the program writes to a pipe.
  ulimit -f 8
  start -- sh -c 'head -c 100000 /dev/zero | tr "\0" x; exit 3'
  expect_equal $code 3
  expect_equal "$(wc -c <run/log)" 4096
  expect_ended reason exited
  expect_ended log-bytes 4096
  expect_ended log-total-bytes 100000
  expect_ended detail 'log could not be kept: File too large'
}

case_a_program_that_closes_its_output_is_not_over() {
  start -- sh -c 'exec >&- 2>&-; sleep 0.2; touch finished'
  expect_equal $code 0
  expect_there finished
}

# The helper stands still until the program is over, so all of it is in the pipe and in the socket then.
case_what_is_in_pipe_and_socket_at_the_end_is_kept() {
  start -- sh -c "kill -STOP \$PPID; $send run/results.sock 5 100; head -c 60000 /dev/zero"'
    (n=0; until grep -q "^State:.Z" /proc/$$/status || [ $n = 500 ]; do sleep 0.02; n=$((n + 1)); done
     kill -CONT $PPID) >/dev/null 2>&1 &'
  expect_equal $code 0
  expect_ended log-bytes 60000
  expect_ended results 5
}

case_a_process_that_keeps_the_output_open_does_not_hold_up_the_end() {
  start -- sh -c 'sleep 300 & exit 0'
  expect_equal $code 0
  expect_ended reason exited
}

# --- what the program is given

case_the_program_leads_a_process_group_of_its_own() {
  start -- sh -c 'read -r pid name state parent group rest </proc/$$/stat; echo "$((group - pid))"'
  expect_file run/log 0
}

case_the_program_is_given_no_descriptor_of_the_helper() {
  ls -l /proc/self/fd >before
  start -- ls -l /proc/self/fd
  expect_says run/log ' 0 -> /dev/null$'
  expect_equal "$(sed -n 's/.* [12] -> \(pipe:.*\)/\1/p' run/log | sort -u | wc -l)" 1
  if grep -E "signalfd|$PWD/(run|ledger)" run/log; then fail 'they are open'; fi
  expect_equal "$(grep -c socket: run/log)" "$(grep -c socket: before)"
}

case_the_program_starts_with_no_signal_blocked_or_ignored() {
  (
    trap '' HUP USR1
    start -- grep -E '^Sig(Blk|Ign)' /proc/self/status
  )
  expect_equal "$(wc -l <run/log)" 2
  # Two above the first 31 are the C library's own.
  for each in $(sed 's/.*:[[:space:]]*//' run/log); do expect_equal $((0x$each & 0x7fffffff)) 0; done
}

# --- ends

case_the_exit_code_of_the_program_is_handed_on() {
  start -- sh -c 'exit 3'
  expect_equal $code 3
  expect_ended reason exited
  expect_ended exit-code 3
  expect_ended signal 0
}

case_death_by_a_signal_is_told() {
  start -- sh -c 'kill -SEGV $$'
  expect_equal $code 139
  expect_ended reason exited
  expect_ended signal 11
  expect_ended exit-code 139
}

case_a_program_that_is_not_there_is_told() {
  printf 'PATH=/usr/bin:/bin\0' >run/env
  start -- no-such-program
  expect_equal $code 127
  expect_ended reason exec-failed
  expect_ended detail '"no-such-program": No such file or directory'
}

case_a_program_that_may_not_be_run_is_told() {
  : >data
  start -- ./data
  expect_equal $code 126
  expect_ended reason exec-failed
  expect_ended detail '"./data": Permission denied'
}

case_one_that_is_found_but_may_not_be_run_is_told_too() {
  mkdir bin
  : >bin/greet
  printf 'PATH=%s/bin:/usr/bin:/bin\0' "$PWD" >run/env
  start -- greet
  expect_equal $code 126
  expect_ended detail '"greet": Permission denied'
}

case_a_name_of_many_lines_leaves_one_line_of_detail() {
  printf 'PATH=/usr/bin:/bin\0' >run/env
  start -- 'no
exit-code 0
such'
  expect_equal $code 127
  expect_equal "$(wc -l <ledger/end)" 16
  expect_ended exit-code 127
  expect_ended detail '"no exit-code 0 such": No such file or directory'
}

case_a_very_long_name_leaves_a_whole_record() {
  start -- "$(printf '%03000d' 0)"
  expect_equal $code 126
  expect_equal "$(wc -l <ledger/end)" 16
  expect_ended reason exec-failed
}

case_results_that_cannot_be_kept_are_told_before_the_program_starts() {
  mkdir run/results
  start -- touch started
  expect_equal $code 126
  expect_missing started
  expect_ended reason exec-failed
  expect_says ledger/end '^detail .*Is a directory$'
}

case_the_end_record_has_every_line_and_no_half_of_it_is_ever_seen() {
  start -- true
  expect_equal "$(sed 's/ .*//' ledger/end | tr '\n' ' ')" "version owner reason exit-code signal started-ms finished-ms \
cpu-ms max-rss-bytes read-bytes written-bytes log-bytes log-total-bytes results dropped-results detail "
  expect_ended version 1
  expect_ended detail ''
  sed '/^owner /d; /^reason exited$/d; /^detail $/d' ledger/end | grep -vE '^[a-z-]+ [0-9]+$' >odd || true
  expect_file odd ''
  expect_missing ledger/end.tmp
}

case_the_end_record_says_when() {
  before=$(date +%s%3N)
  start -- sleep 0.05
  expect_over "$(($(ended started-ms) + 1))" "$before"
  expect_over "$(ended finished-ms)" "$(($(ended started-ms) + 49))"
  expect_over "$(($(date +%s%3N) + 1))" "$(ended finished-ms)"
}

case_the_end_record_comes_into_its_place_whole() {
  echo older >ledger/end
  ln ledger/end older
  head -c 5000 /dev/zero >ledger/end.tmp
  start -- true
  # Had it been written in place, the other name would show it.
  expect_file older older
  expect_equal "$(wc -l <ledger/end)" 16
  expect_equal "$(tr -d '\0' <ledger/end | cmp - ledger/end 2>&1)" ''
  expect_missing ledger/end.tmp
}

case_there_is_no_end_record_while_the_program_runs() {
  start -- ls ledger
  expect_file run/log start
}

case_an_end_record_that_cannot_be_written_is_said_and_changes_no_exit_code() {
  mkdir ledger/end
  start -- sh -c 'exit 3'
  expect_equal $code 3
  expect_says said 'the end record in "ledger" cannot be written: Is a directory'
}

case_processor_time_and_memory_of_what_it_started_are_counted() {
  start -- sh -c 'sh -c "n=0; while [ \$n -lt 200000 ]; do n=\$((n + 1)); done"'
  expect_over "$(ended cpu-ms)" 20
  expect_over "$(ended max-rss-bytes)" 100000
}

# --- signals and time

case_signals_are_handed_on() {
  start_behind -- sh -c 'trap "echo heard; exit 5" USR1; touch ready; '"$linger"
  kill -USR1 $pid
  wait_for_helper
  expect_equal $code 5
  expect_says run/log '^heard$'
  expect_ended reason exited
}

case_every_signal_reaches_the_program() {
  start_behind -- sh -c 'for each in HUP USR1 USR2 QUIT; do trap "echo heard $each" $each; done
    trap "echo heard INT; exit 0" INT; touch ready; '"$linger"
  for each in HUP USR1 USR2 QUIT INT; do
    kill -$each $pid
    until_true grep -q "heard $each" run/log
  done
  wait_for_helper
  expect_equal $code 0
  expect_ended reason signalled
}

case_signals_reach_what_the_program_has_started() {
  start_behind -- sh -c "trap : USR1; sh -c 'trap \"echo child heard; exit 0\" USR1; touch ready; $linger' & wait; wait"
  kill -USR1 $pid
  wait_for_helper
  expect_says run/log '^child heard$'
}

case_an_int_starts_the_grace_time_too() {
  start_behind -- sh -c 'trap "" INT; touch ready; '"$linger"
  kill -INT $pid
  wait_for_helper
  expect_equal $code 137
  expect_ended reason signalled
}

case_a_usr1_starts_no_grace_time() {
  start_behind --grace 0 -- sh -c 'trap "echo heard" USR1; touch ready
    until [ -e go ]; do sleep 0.02; done; exit 0'
  kill -USR1 $pid
  until_true grep -q heard run/log
  touch go
  wait_for_helper
  expect_equal $code 0
}

case_a_term_from_outside_is_told_whatever_the_program_makes_of_it() {
  start_behind -- sh -c 'trap "exit 0" TERM; touch ready; '"$linger"
  kill -TERM $pid
  wait_for_helper
  expect_equal $code 0
  expect_ended reason signalled
}

case_what_does_not_listen_to_term_is_killed_after_its_grace() {
  start_behind -- sh -c 'trap "" TERM; touch ready; '"$linger"
  kill -TERM $pid
  wait_for_helper
  expect_equal $code 137
  expect_ended reason signalled
  expect_ended signal 9
}

case_the_program_is_told_to_end_once_however_often_the_helper_is() {
  start_behind --grace 60000 -- sh -c 'for each in TERM INT; do trap "echo heard $each" $each; done
    trap "over=yes" USR1; touch ready; until [ "$over" ]; do sleep 0.02; done; exit 6'
  for each in TERM INT TERM INT; do
    kill -$each $pid
    until_true grep -q "heard $each" run/log
    until_true was_taken $pid
  done
  kill -USR1 $pid
  wait_for_helper
  expect_equal $code 6
  expect_equal "$(grep heard run/log | tr '\n' ' ')" 'heard TERM heard INT '
}

case_the_time_limit_tells_nothing_to_who_was_told() {
  start_behind --time-limit 400 --grace 1000 -- sh -c 'trap "echo heard" TERM; touch ready; '"$linger"
  kill -TERM $pid
  wait_for_helper
  expect_equal $code 137
  expect_equal "$(grep -c heard run/log)" 1
}

case_the_time_limit_sends_term_and_says_so() {
  start --time-limit 300 -- sh -c 'trap "echo late; exit 4" TERM; '"$linger"
  expect_equal $code 4
  expect_says run/log '^late$'
  expect_ended reason time-limit
}

case_the_time_limit_counts_from_when_the_job_began() {
  start --time-limit 60000 --began $(($(date +%s) - 61)) -- sh -c 'trap "exit 4" TERM; '"$linger"
  expect_ended reason time-limit
  rm ledger/start
  start --time-limit 60000 --began $(($(date +%s) + 61)) -- sh -c 'exit 0'
  expect_ended reason exited
  rm ledger/start
  start --time-limit 60000 --began 0 -- sh -c 'exit 0'
  expect_ended reason exited
}

case_the_time_limit_kills_what_does_not_listen() {
  start --time-limit 300 -- sh -c 'trap "" TERM; '"$linger"
  expect_equal $code 137
  expect_ended reason time-limit
}

case_the_first_reason_to_end_stands() {
  start_behind --time-limit 300 --grace 1000 -- sh -c 'trap "touch ready" TERM; '"$linger"
  kill -TERM $pid
  wait_for_helper
  expect_equal $code 137
  expect_ended reason time-limit
}

case_a_program_below_its_time_limit_is_left_alone() {
  start --time-limit 60000 -- sh -c 'exit 0'
  expect_ended reason exited
}

case_nothing_that_it_started_outlives_it() {
  start -- sh -c 'setsid sleep 300 & echo $! >orphan; (sleep 300 & echo $! >grandchild); exit 0'
  expect_equal $code 0
  for each in orphan grandchild; do
    if kill -0 "$(cat $each)" 2>/dev/null; then fail "$each lives"; fi
  done
}

case_an_orphan_that_ends_is_reaped_while_the_program_runs() {
  start -- sh -c '(sh -c "echo \$\$ >orphan" &)
    n=0
    until [ -s orphan ] && [ ! -e "/proc/$(cat orphan)" ]; do sleep 0.02; n=$((n + 1)); [ $n -lt 250 ] || exit 9; done'
  expect_equal $code 0
}

# Sets `apart` to what makes a command the first process of a PID namespace. An ordinary user may be denied it.
may_be_first() {
  apart='unshare --pid --fork --kill-child --mount-proc'
  if [ "$(id -u)" = 0 ]; then return 0; fi
  apart="$apart --user --map-root-user"
  $apart true 2>/dev/null || { echo 'skipped: this user may make no namespace' && return 1; }
}

case_as_the_first_process_of_a_container_it_hears_signals() {
  may_be_first || return 0
  $apart "$program" start $common --not-after 9999999999 -- \
    sh -c 'trap "exit 7" TERM; touch ready; '"$linger" 2>said &
  pid=$!
  echo $pid >pids
  until_true [ -e ready ]
  # What `unshare` has forked is the helper.
  kill -TERM $(cat "/proc/$pid/task/$pid/children")
  wait_for_helper
  expect_equal $code 7
  expect_ended reason signalled
}

case_as_the_first_process_of_a_container_it_ends_everything() {
  may_be_first || return 0
  code=0
  $apart "$program" start $common --not-after 9999999999 -- \
    sh -c 'setsid sleep 300 & (setsid sleep 300 &); echo "init $PPID"; exit 6' || code=$?
  expect_equal $code 6
  expect_file run/log 'init 1'
  expect_ended exit-code 6
}

case_the_program_cannot_look_into_it() {
  cp "$program" helper
  nobody=
  if [ "$(id -u)" = 0 ]; then
    chown -R 65534:65534 .
    nobody='setpriv --reuid 65534 --regid 65534 --clear-groups'
  fi
  SECRET=secret $nobody ./helper start $common --not-after 9999999999 -- \
    sh -c 'tr "\0" "\n" </proc/$PPID/environ; echo looked' 2>said
  expect_says run/log 'Permission denied'
  if grep -q SECRET run/log; then fail 'its environment is open'; fi
}

# --- misuse

case_a_missing_option_is_named() {
  helper start --ledger ledger -- true
  expect_equal $code 2
  expect_says said 'is missing'
}

case_an_unknown_option_is_named() {
  start --colour red -- true
  expect_equal $code 2
  expect_says said 'unknown option "--colour"'
}

case_what_is_no_number_is_named() {
  start --time-limit soon -- true
  expect_equal $code 2
  expect_says said '"soon" after --time-limit is not a number'
}

case_a_number_beyond_all_time_is_named() {
  for each in 18446744073709551615 9223372036854775807 99999999999999999999 -1; do
    start --time-limit $each -- true
    expect_equal $code 2
    expect_says said "\"$each\" after --time-limit is not a number"
  done
  expect_missing ledger/start
}

case_a_label_that_does_not_fit_is_said() {
  for each in "$(printf '%0300d' 0)" 'two
lines'; do
    start --label "$each" -- true
    expect_equal $code 2
    expect_says said 'after --label is longer than 200 bytes, or more than one line'
  done
  expect_missing ledger/start
}

case_an_option_without_its_value_is_named() {
  helper start --ledger
  expect_equal $code 2
  expect_says said 'a value is missing after "--ledger"'
}

case_no_program_is_said() {
  start --
  expect_equal $code 2
  expect_says said 'nothing to start'
}

case_without_a_use_it_says_what_it_can() {
  helper
  expect_equal $code 2
  expect_says said 'usage: abaco-start start'
}
