# The results socket: as a part of `start`, and alone as the use `results`.

send=$native/build/test/send-datagrams

case_results_are_framed_in_their_order() {
  start -- sh -c "printf one | ABACO_RESULTS_SOCKET=run/results.sock $result && printf 'two\n' | ABACO_RESULTS_SOCKET=run/results.sock $result"
  expect_equal $code 0
  expect_equal "$(frames)" "kept $(hex one)
kept $(hex two)0a"
  expect_ended results 2
  expect_ended dropped-results 0
}

case_an_empty_datagram_is_no_result() {
  start -- "$send" run/results.sock 3 0
  expect_equal "$(frames)" ''
  expect_ended results 0
}

case_one_beyond_the_limit_leaves_a_note_of_its_size() {
  start --result-limit 10 -- sh -c "$send run/results.sock 1 10; $send run/results.sock 1 11; $send run/results.sock 1 4"
  expect_equal "$(frames)" "kept 00000000000000000000
dropped 11
kept 00000000"
  expect_ended results 2
  expect_ended dropped-results 1
}

case_many_from_several_writers_are_all_kept() {
  start -- sh -c "for each in 1 2 3 4; do $send run/results.sock 2000 100 & done; wait"
  expect_ended results 8000
  expect_equal "$(frames | wc -l)" 8000
}

case_what_is_in_the_socket_at_the_end_is_kept() {
  start -- "$send" run/results.sock 5 100
  expect_ended results 5
}

case_a_socket_left_by_another_is_replaced() {
  : >run/results.sock
  start -- "$send" run/results.sock 1 4
  expect_equal $code 0
  expect_ended results 1
}

case_anybody_in_the_container_may_send() {
  start -- stat -c %a run/results.sock
  expect_file run/log 777
}

# Standard input of the collector is a pipe that `fd 3` keeps open.
collect_behind() {
  mkfifo input
  "$program" results --socket "$PWD/sock" --file file --result-limit 100 <input 2>said &
  pid=$!
  echo $pid >pids
  exec 3>input
  until_true [ -S sock ]
}

case_alone_it_collects_until_the_end_of_its_input() {
  collect_behind
  "$send" sock 3 4
  exec 3>&-
  wait $pid
  expect_equal "$(frames file | wc -l)" 3
}

case_alone_it_collects_until_it_is_told_to_end() {
  collect_behind
  "$send" sock 3 4
  kill -TERM $pid
  wait $pid
  exec 3>&-
  expect_equal "$(frames file | wc -l)" 3
}

case_alone_it_says_what_it_cannot_make() {
  helper results --socket missing/sock --file file --result-limit 100 </dev/null
  expect_equal $code 114
  expect_says said '"missing/sock" cannot be made'
}

case_alone_it_works_where_the_path_is_longer_than_a_socket_address() {
  deep=$PWD/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb/cccccccc
  mkdir -p "$deep"
  helper results --socket "$deep/sock" --file file --result-limit 100 </dev/null
  expect_equal $code 0
  [ -S "$deep/sock" ]
}
