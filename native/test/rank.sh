# The use `rank`: environment, signals, exit code.

rank() {
  code=0
  "$program" rank --run run --result-limit 1000 "$@" >out 2>said || code=$?
}

case_a_rank_finds_the_environment_of_the_run_over_its_own() {
  printf 'NAME=of the run\0a-b=hyphen\0' >run/env
  export NAME=of\ the\ scheduler SLURM_PROCID=3
  rank -- env
  expect_equal $code 0
  expect_says out '^NAME=of the run$'
  expect_says out '^a-b=hyphen$'
  expect_says out '^SLURM_PROCID=3$'
  expect_says out '^ABACO_RESULT_LIMIT=1000$'
}

case_a_rank_takes_no_marker_and_writes_no_record_and_no_log() {
  rank -- sh -c 'exit 7'
  expect_equal $code 7
  expect_missing ledger/start ledger/end run/log run/results
}

case_a_rank_whose_program_is_not_there_says_so() {
  rank -- not-there
  expect_equal $code 127
  expect_says said '"not-there": No such file'
}

case_a_rank_without_its_environment_starts_nothing() {
  rm run/env
  rank -- touch started
  expect_equal $code 114
  expect_missing started
}

case_a_start_with_another_environment_leaves_that_of_the_run_to_its_ranks() {
  printf 'NAME=of the run\0' >run/env
  NAME=of\ the\ batch start --environment /dev/null -- sh -c 'echo "$NAME"'
  expect_equal $code 0
  expect_file run/log 'of the batch'
}

# In the background; `pid` is the helper's. It says what it hears, and ends with 3 on USR1.
rank_behind() {
  "$program" rank --run run --result-limit 1000 -- sh -c 'echo $$ >program; for each in TERM INT WINCH; do
    trap "echo heard $each" $each; done; trap "over=yes" USR1; touch ready
    n=0; until [ "$over" ] || [ $n -gt 1000 ]; do sleep 0.02; n=$((n + 1)); done; exit 3' >out 2>said &
  pid=$!
  echo $pid >pids
  until_true [ -e ready ]
}
over() {
  kill -USR1 $pid
  code=0
  wait $pid || code=$?
}

case_a_rank_hears_the_order_for_all_ranks_as_term_and_ends_with_0() {
  rank_behind
  kill -WINCH $pid
  until_true grep -q 'heard TERM' out
  over
  expect_equal $code 0
  expect_equal "$(grep heard out)" 'heard TERM'
}

case_a_rank_is_told_to_end_once_however_often_its_helper_is() {
  rank_behind
  for each in TERM INT WINCH TERM INT; do
    kill -$each $pid
    until_true grep -q 'heard TERM' out
    until_true was_taken $pid
  done
  over
  expect_equal "$(grep heard out | sort | tr '\n' ' ')" 'heard INT heard TERM '
}

case_a_rank_that_is_told_alone_ends_as_its_program_does() {
  rank_behind
  kill -TERM $pid
  until_true grep -q 'heard TERM' out
  over
  expect_equal $code 3
}

case_signals_reach_what_a_rank_has_started() {
  "$program" rank --run run --result-limit 1000 -- sh -c 'trap : USR1
    sh -c "trap \"echo child heard; exit 0\" USR1; touch ready; n=0; while [ \$n -lt 500 ]; do sleep 0.02; n=\$((n + 1)); done" & wait; wait' >out &
  pid=$!
  echo $pid >pids
  until_true [ -e ready ]
  kill -USR1 $pid
  wait $pid
  expect_says out '^child heard$'
}

case_death_of_a_rank_by_a_signal_is_its_exit_code() {
  rank -- sh -c 'kill -SEGV $$'
  expect_equal $code 139
}

case_no_rank_outlives_its_helper() {
  rank_behind
  kill -KILL $pid
  wait $pid || code=$?
  # What nobody has waited for yet is a zombie.
  gone() { ! grep -qs '^State:[[:space:]]*[^Z]' "/proc/$(cat program)/status" || return 1; }
  until_true gone
}

case_a_rank_keeps_the_standard_output_of_its_helper() {
  rank -- sh -c 'echo "$(readlink /proc/self/fd/0)"; echo problem >&2'
  expect_file out /dev/null
  expect_file said problem
}
