# The results socket: as a part of `start`, and alone as the use `results`.

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

case_beyond_the_limit_of_all_together_they_are_only_counted() {
  # Three frames of 14 bytes; the note of a long one takes 8.
  start --result-limit 10 --result-total 42 -- sh -c "$send run/results.sock 5 10; $send run/results.sock 1 11"
  expect_equal $code 0
  expect_equal "$(frames | wc -l)" 3
  expect_ended results 3
  expect_ended dropped-results 3
}

case_beyond_their_number_they_are_only_counted() {
  start --result-limit 10 --result-count 3 -- sh -c "$send run/results.sock 1 11; $send run/results.sock 4 1; $send run/results.sock 2 11"
  expect_equal "$(frames)" "dropped 11
kept 00
kept 01"
  expect_ended results 2
  expect_ended dropped-results 5
}

case_many_from_several_writers_are_all_kept() {
  start -- sh -c "for each in 1 2 3 4; do $send run/results.sock 2000 100 & done; wait"
  expect_ended results 8000
  frames >found
  expect_equal "$(wc -l <found)" 8000
  # Each of the 2000 came from each of the four.
  expect_equal "$(sort found | uniq -c | grep -c '^ *4 kept')" 2000
}

case_what_a_full_disk_did_not_take_whole_is_cut_off_and_counted() {
  # A file may grow to 8 × 512 bytes: two frames of 2004, and one of 54.
  ulimit -f 8
  start --result-limit 2000 -- sh -c "$send run/results.sock 3 2000; $send run/results.sock 1 50"
  expect_equal $code 0
  expect_equal "$(frames | cut -c 1-13 | tr '\n' ' ')" 'kept 00000000 kept 01000000 kept 00000000 '
  expect_ended results 3
  expect_ended dropped-results 1
  expect_ended detail 'results could not be kept: File too large'
}

case_results_are_added_to_what_is_there() {
  printf '\000\000\000\001x' >run/results
  start -- "$send" run/results.sock 1 4
  expect_equal "$(frames)" "kept $(hex x)
kept 00000000"
  expect_ended results 1
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
  # More than 108 bytes.
  deep=$PWD/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb/cccccccc
  mkdir -p "$deep"
  helper results --socket "$deep/sock" --file file --result-limit 100 </dev/null
  expect_equal $code 0
  expect_there "$deep/sock"
}

case_alone_it_ends_on_an_interrupt() {
  collect_behind
  "$send" sock 3 4
  kill -INT $pid
  wait $pid
  exec 3>&-
  expect_equal "$(frames file | wc -l)" 3
}

# It stands still until all of it has come, so that it hears of the end and of the datagrams at once.
case_alone_it_takes_what_is_in_the_socket_at_the_end() {
  for end in input term; do
    mkdir $end
    cd $end
    collect_behind
    kill -STOP $pid
    "$send" sock 5 4
    if [ $end = term ]; then kill -TERM $pid; else exec 3>&-; fi
    kill -CONT $pid
    wait $pid
    exec 3>&-
    expect_equal "$(frames file | wc -l)" 5
    cd ..
  done
}

case_alone_it_is_not_ended_by_what_is_written_to_it() {
  collect_behind
  echo anything >&3
  "$send" sock 1 4
  until_true [ -s file ]
  kill -0 $pid
  exec 3>&-
  wait $pid
}

anybody_may_send() { [ "$(stat -c %a sock)" = 777 ]; }

case_alone_it_keeps_the_limit_and_lets_anybody_send() {
  collect_behind
  until_true anybody_may_send
  "$send" sock 1 101
  "$send" sock 1 0
  "$send" sock 1 4
  exec 3>&-
  wait $pid
  expect_equal "$(frames file)" 'dropped 101
kept 00000000'
}

case_alone_it_replaces_a_socket_and_adds_to_a_file() {
  for each in 1 2; do
    rm -f input
    collect_behind
    # The older socket is there until then.
    until_true "$send" sock $each 4
    exec 3>&-
    wait $pid
  done
  expect_equal "$(frames file | wc -l)" 3
}

case_alone_it_names_what_is_missing_or_not_known() {
  helper results --socket sock --file file
  expect_equal $code 2
  expect_says said '--result-limit is missing'
  helper results --socket sock --file file --result-limit much
  expect_equal $code 2
  expect_says said '"much" after --result-limit is not a number'
  helper results --socket sock --file file --result-limit 10 --ledger here
  expect_equal $code 2
  expect_says said 'unknown option "--ledger"'
}
