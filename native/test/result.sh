# The use `result`, by which a program in any image hands one back.

collected() {
  mkfifo input
  "$program" results --socket "$PWD/sock" --file file --result-limit 1000000 <input 2>/dev/null &
  pid=$!
  echo $pid >pids
  exec 3>input
  until_true [ -S sock ]
}
# As it is called in a container.
hand_back() {
  code=0
  ABACO_RESULTS_SOCKET=$PWD/sock "$result" "$@" 2>said || code=$?
}

case_standard_input_is_one_result() {
  collected
  printf 'a\nb\n' >bytes
  hand_back <bytes
  expect_equal $code 0
  exec 3>&-
  wait $pid
  expect_equal "$(frames file)" "kept 610a620a"
}

case_a_file_is_one_result() {
  collected
  printf '\000\377' >bytes
  hand_back bytes
  expect_equal $code 0
  exec 3>&-
  wait $pid
  expect_equal "$(frames file)" "kept 00ff"
}

case_the_long_spelling_does_the_same() {
  collected
  printf 42 | ABACO_RESULTS_SOCKET=$PWD/sock "$program" result
  exec 3>&-
  wait $pid
  expect_equal "$(frames file)" "kept 3432"
}

case_a_result_longer_than_a_datagram_is_refused_with_a_sentence() {
  collected
  head -c 1000000 /dev/zero >bytes
  hand_back bytes
  expect_equal $code 1
  expect_says said 'longer than one datagram'
  exec 3>&-
  wait $pid
  expect_equal "$(frames file)" ''
}

case_a_result_beyond_the_limit_is_refused_with_a_sentence() {
  printf '#!/bin/sh\nexport ABACO_RESULTS_SOCKET=run/results.sock\nhead -c $1 /dev/zero | "%s"\n' "$result" >hand
  chmod +x hand
  start --result-limit 1000 -- ./hand 1000
  expect_equal $code 0
  expect_file run/log ''
  mkdir other
  start --ledger other --result-limit 1000 -- ./hand 1001
  expect_equal $code 1
  expect_says run/log 'a result of 1001 bytes is longer than the 1000 bytes that are kept; hand it back in pieces'
  expect_equal "$(frames | tail -n 1)" 'dropped 1001'
}

case_a_result_that_comes_in_pieces_is_one() {
  collected
  (printf 'one '; "$send" sock 1 4; printf 'two') | ABACO_RESULTS_SOCKET=$PWD/sock "$result"
  exec 3>&-
  wait $pid
  expect_equal "$(frames file | tail -n 1)" "kept $(hex 'one two')"
}

case_nothing_is_no_result() {
  hand_back </dev/null
  expect_equal $code 1
  expect_says said 'nothing to hand back'
}

case_a_socket_that_is_not_there_is_named() {
  echo 42 >bytes
  hand_back bytes
  expect_equal $code 1
  expect_says said "cannot be sent to \"$PWD/sock\": No such file or directory"
}

case_unless_told_otherwise_it_is_sent_to_the_socket_of_the_container() {
  code=0
  echo 42 | env -u ABACO_RESULTS_SOCKET "$result" 2>said || code=$?
  expect_equal $code 1
  expect_says said 'cannot be sent to "/_abaco_results.sock"'
}

case_a_socket_that_nobody_listens_to_is_said() {
  collected
  exec 3>&-
  wait $pid
  echo 42 >bytes
  hand_back bytes
  expect_equal $code 1
  expect_says said 'Connection refused'
}

case_a_path_longer_than_a_socket_address_is_said() {
  code=0
  echo 42 | ABACO_RESULTS_SOCKET=/$(printf '%0200d' 0) "$result" 2>said || code=$?
  expect_equal $code 1
  expect_says said 'path of the results socket is too long'
}

case_a_file_that_is_not_there_is_said() {
  hand_back missing
  expect_equal $code 1
  expect_says said 'cannot be read'
}

case_two_files_are_one_too_many() {
  hand_back one two
  expect_equal $code 2
  expect_says said 'usage: result'
}
