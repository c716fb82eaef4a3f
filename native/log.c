#define _GNU_SOURCE
#include "log.h"
#include "common.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

bool log_open(struct log *log, const char *path, uint64_t limit) {
  *log = (struct log){ .file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644), .limit = limit };
  return log->file >= 0;
}

static void keep(struct log *log, const unsigned char *bytes, uint64_t length) {
  uint64_t room = log->limit - log->kept;
  uint64_t kept = length < room ? length : room;
  if (kept == 0 || log->trouble != 0) return;
  const off_t before = lseek(log->file, 0, SEEK_END);
  if (write_all(log->file, bytes, (size_t)kept)) {
    log->kept += kept;
    return;
  }
  log->trouble = errno;
  /* A disk that is full takes some of it. */
  const off_t after = lseek(log->file, 0, SEEK_END);
  if (before >= 0 && after > before) log->kept += (uint64_t)(after - before);
}

int64_t log_copy(struct log *log, int from) {
  static unsigned char buffer[1 << 16];
  for (;;) {
    ssize_t got = read(from, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return got;
    log->total += (uint64_t)got;
    keep(log, buffer, (uint64_t)got);
    return got;
  }
}
