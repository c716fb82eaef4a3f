# The use `start`: marker, environment, log, signals, time limit, end record.

# --- the start marker

case_the_first_start_takes_the_marker_and_its_name_stands_in_the_end_record() {
  start --label host-7 -- true
  expect_equal $code 0
  owner=$(readlink ledger/start)
  echo "$owner" | grep -qE '^[0-9a-f]{32}@host-7$' || fail "marker: $owner"
  expect_ended owner "$owner"
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
  [ ! -e started ]
  [ ! -e ledger/end ]
}

case_a_ledger_entry_that_is_not_there_starts_nothing_and_is_never_made() {
  rmdir ledger
  start -- touch started
  expect_equal $code 113
  [ ! -e started ]
  [ ! -e ledger ]
}

case_a_start_after_its_time_is_refused_and_leaves_the_marker_free() {
  helper start $common --not-after 1000000000 -- touch started
  expect_equal $code 113
  expect_says said 'too late'
  [ ! -e started ]
  [ ! -L ledger/start ]
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

case_an_environment_that_cannot_be_read_leaves_the_marker_free() {
  rm run/env
  start -- touch started
  expect_equal $code 114
  expect_says said 'environment'
  [ ! -e started ]
  [ ! -L ledger/start ]
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

case_a_program_that_closes_its_output_is_not_over() {
  start -- sh -c 'exec >&- 2>&-; sleep 0.2; touch finished'
  expect_equal $code 0
  [ -e finished ]
}

case_what_is_in_the_pipe_at_the_end_is_kept() {
  start -- sh -c 'head -c 60000 /dev/zero | tr "\0" x'
  expect_ended log-bytes 60000
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

case_the_end_record_has_every_line_and_no_half_of_it_is_ever_seen() {
  start -- true
  expect_equal "$(sed 's/ .*//' ledger/end | tr '\n' ' ')" "version owner reason exit-code signal started-ms finished-ms \
cpu-ms max-rss-bytes read-bytes written-bytes log-bytes log-total-bytes results dropped-results detail "
  expect_ended version 1
  [ "$(ended finished-ms)" -ge "$(ended started-ms)" ]
  [ ! -e ledger/end.tmp ]
}

case_processor_time_and_memory_of_what_it_started_are_counted() {
  start -- sh -c 'sh -c "n=0; while [ \$n -lt 200000 ]; do n=\$((n + 1)); done"'
  [ "$(ended cpu-ms)" -gt 20 ]
  [ "$(ended max-rss-bytes)" -gt 100000 ]
}

# --- signals and time

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

case_signals_are_handed_on() {
  start_behind -- sh -c 'trap "echo heard; exit 5" USR1; touch ready; '"$linger"
  kill -USR1 $pid
  wait_for_helper
  expect_equal $code 5
  expect_says run/log '^heard$'
  expect_ended reason exited
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

case_the_time_limit_sends_term_and_says_so() {
  start --time-limit 100 -- sh -c 'trap "echo late; exit 4" TERM; '"$linger"
  expect_equal $code 4
  expect_says run/log '^late$'
  expect_ended reason time-limit
}

case_the_time_limit_kills_what_does_not_listen() {
  start --time-limit 100 -- sh -c 'trap "" TERM; '"$linger"
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

case_as_the_first_process_of_a_container_it_ends_everything() {
  code=0
  as_user=
  [ "$(id -u)" = 0 ] || as_user='--user --map-root-user'
  unshare $as_user --pid --fork --mount-proc "$program" start $common --not-after 9999999999 -- \
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
