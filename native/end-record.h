#ifndef ABACO_END_RECORD_H
#define ABACO_END_RECORD_H
#include <stdbool.h>
#include <stdint.h>

struct end_record {
  const char *owner;
  /* exited | time-limit | signalled | exec-failed */
  const char *reason;
  int exit_code;
  int signal;
  int64_t started_ms;
  int64_t finished_ms;
  uint64_t log_bytes;
  uint64_t log_total_bytes;
  uint64_t results;
  uint64_t dropped_results;
  char detail[512];
};

/* Writes LEDGER/end, whole or not at all, with the usage of all reaped children. */
bool end_record_write(const char *ledger, const struct end_record *record);
#endif
