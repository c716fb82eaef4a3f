# The use `rank`: environment, and nothing else.

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
