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
  printf 'a\nb\n' | hand_back
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

case_nothing_is_no_result() {
  hand_back </dev/null
  expect_equal $code 1
  expect_says said 'nothing to hand back'
}

case_a_socket_that_is_not_there_is_named() {
  echo 42 | hand_back || true
  echo 42 >bytes
  hand_back bytes
  expect_equal $code 1
  expect_says said "cannot be sent to \"$PWD/sock\""
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
