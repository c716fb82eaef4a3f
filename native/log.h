#ifndef ABACO_LOG_H
#define ABACO_LOG_H
#include <stdbool.h>
#include <stdint.h>

/* What the program writes: kept up to a limit, then read and thrown away, so that no writer ever blocks. */
struct log {
  int file;
  uint64_t limit;
  uint64_t kept;
  uint64_t total;
  /* Why it could not be kept, or 0. */
  int trouble;
};

bool log_open(struct log *log, const char *path, uint64_t limit);
/* Copies one buffer's worth. @returns bytes read, 0 at the end, -1 when there is nothing now. */
int64_t log_copy(struct log *log, int from);
#endif
