#define _GNU_SOURCE
#include "end-record.h"
#include "common.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { BLOCK_BYTES = 512 };

static int64_t cpu_ms(const struct rusage *usage) {
  int64_t seconds = (int64_t)usage->ru_utime.tv_sec + usage->ru_stime.tv_sec;
  int64_t micros = (int64_t)usage->ru_utime.tv_usec + usage->ru_stime.tv_usec;
  return seconds * 1000 + micros / 1000;
}

static int render(char *text, size_t size, const struct end_record *record) {
  struct rusage usage;
  getrusage(RUSAGE_CHILDREN, &usage);
  return snprintf(text, size,
    "version 1\nowner %s\nreason %s\nexit-code %d\nsignal %d\nstarted-ms %" PRId64 "\nfinished-ms %" PRId64
    "\ncpu-ms %" PRId64 "\nmax-rss-bytes %ld\nread-bytes %ld\nwritten-bytes %ld\nlog-bytes %" PRIu64
    "\nlog-total-bytes %" PRIu64 "\nresults %" PRIu64 "\ndropped-results %" PRIu64 "\ndetail %s\n",
    record->owner, record->reason, record->exit_code, record->signal, record->started_ms, record->finished_ms,
    cpu_ms(&usage), usage.ru_maxrss * 1024, usage.ru_inblock * BLOCK_BYTES, usage.ru_oublock * BLOCK_BYTES,
    record->log_bytes, record->log_total_bytes, record->results, record->dropped_results, record->detail);
}

bool end_record_write(const char *ledger, const struct end_record *record) {
  char text[2048];
  char temporary[PATH_MAX];
  char path[PATH_MAX];
  int length = render(text, sizeof text, record);
  if (length <= 0 || (size_t)length >= sizeof text) return false;
  if (!join_path(temporary, sizeof temporary, ledger, "end.tmp") || !join_path(path, sizeof path, ledger, "end")) return false;
  int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  bool ok = fd >= 0 && write_all(fd, text, (size_t)length) && fsync(fd) == 0;
  if (fd >= 0) close(fd);
  ok = ok && rename(temporary, path) == 0;
  if (!ok) say("the end record in \"%s\" cannot be written: %s", ledger, strerror(errno));
  sync_directory(ledger);
  return ok;
}
