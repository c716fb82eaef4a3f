#define _GNU_SOURCE
#include "common.h"
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

void say(const char *format, ...) {
  char line[1024];
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(line, sizeof line - 1, format, arguments);
  va_end(arguments);
  if (length < 0) return;
  size_t size = (size_t)length < sizeof line - 1 ? (size_t)length : sizeof line - 2;
  line[size] = '\n';
  (void)!write(STDERR_FILENO, "abaco-start: ", 13);
  (void)!write(STDERR_FILENO, line, size + 1);
}

bool write_all(int fd, const void *bytes, size_t length) {
  const char *from = bytes;
  while (length > 0) {
    ssize_t written = write(fd, from, length);
    if (written < 0) {
      if (errno == EINTR) continue;
      return false;
    }
    from += written;
    length -= (size_t)written;
  }
  return true;
}

bool join_path(char *into, size_t size, const char *directory, const char *name) {
  int length = snprintf(into, size, "%s/%s", directory, name);
  return length > 0 && (size_t)length < size;
}

int64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void sync_directory(const char *directory) {
  int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  (void)fsync(fd);
  close(fd);
}
