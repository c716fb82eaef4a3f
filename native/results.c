#define _GNU_SOURCE
#include "results.h"
#include "common.h"
#include "options.h"
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { LARGEST_SENT = 1 << 20 };

/* From inside the directory, so that no path is too long for a socket's address. */
static bool bind_here(int fd, const char *name) {
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  if (strlen(name) >= sizeof address.sun_path) {
    errno = ENAMETOOLONG;
    return false;
  }
  memcpy(address.sun_path, name, strlen(name) + 1);
  if (unlink(name) != 0 && errno != ENOENT) return false;
  if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0) return false;
  return chmod(name, 0777) == 0;
}

bool results_open(
  struct results *results, const char *directory, const char *name, const char *file, struct results_limits limits) {
  *results = (struct results){ .socket = -1, .file = -1, .limits = limits, .buffer = malloc((size_t)limits.one) };
  int here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  results->socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  results->file = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  bool ok = results->buffer && here >= 0 && results->socket >= 0 && results->file >= 0 && chdir(directory) == 0;
  ok = ok && bind_here(results->socket, name);
  int trouble = errno;
  if (here >= 0) {
    if (fchdir(here) != 0) ok = false;
    close(here);
  }
  errno = trouble;
  return ok;
}

static void put_length(unsigned char *into, uint32_t length) {
  for (int index = 0; index < 4; index += 1) into[index] = (unsigned char)(length >> (24 - 8 * index));
}

static bool has_room(const struct results *results, uint64_t size) {
  const struct results_limits *limits = &results->limits;
  if (limits->count > 0 && results->frames >= limits->count) return false;
  return limits->total == 0 || size <= limits->total - results->bytes;
}

/* A frame is kept whole or not at all: what a full disk left of it is cut off again. */
static bool keep(struct results *results, const unsigned char *head, size_t head_size, size_t length) {
  if (!has_room(results, head_size + length)) return false;
  off_t before = lseek(results->file, 0, SEEK_END);
  if (write_all(results->file, head, head_size) && write_all(results->file, results->buffer, length)) {
    results->bytes += head_size + length;
    results->frames += 1;
    return true;
  }
  if (results->trouble == 0) results->trouble = errno;
  if (before < 0 || ftruncate(results->file, before) != 0) results->limits.one = 0;
  return false;
}

static void take(struct results *results, size_t length) {
  unsigned char head[8] = { 0xff, 0xff, 0xff, 0xff };
  if (length == 0) return;
  if (length > results->limits.one) {
    put_length(head + 4, (uint32_t)length);
    (void)keep(results, head, sizeof head, 0);
    results->dropped += 1;
    return;
  }
  put_length(head, (uint32_t)length);
  if (keep(results, head, 4, length)) results->kept += 1;
  else results->dropped += 1;
}

bool results_drain(struct results *results) {
  bool any = false;
  for (;;) {
    ssize_t length = recv(results->socket, results->buffer, (size_t)results->limits.one, MSG_TRUNC | MSG_DONTWAIT);
    if (length < 0 && errno == EINTR) continue;
    if (length < 0) return any;
    any = true;
    take(results, (size_t)length);
  }
}

int results_use(int count, char *arguments[]) {
  const char *path = NULL;
  const char *file = NULL;
  struct results_limits limits = { 0 };
  const struct option_spec options[] = {
    { "--socket", &path, NULL, true },
    { "--file", &file, NULL, true },
    { "--result-limit", NULL, &limits.one, true },
    { "--result-total", NULL, &limits.total, false },
    { "--result-count", NULL, &limits.count, false },
  };
  if (options_read(count, arguments, options, sizeof options / sizeof *options) != count) return EXIT_USAGE;
  /* Before there is a socket: whoever sees it may end us and loses nothing that was sent. */
  sigset_t mask;
  sigemptyset(&mask);
  sigaddset(&mask, SIGTERM);
  sigaddset(&mask, SIGINT);
  sigprocmask(SIG_BLOCK, &mask, NULL);
  int signals = signalfd(-1, &mask, SFD_CLOEXEC);
  char *directory_copy = strdup(path);
  char *name_copy = strdup(path);
  struct results results;
  if (!directory_copy || !name_copy) return EXIT_NO_RUN;
  if (!results_open(&results, dirname(directory_copy), basename(name_copy), file, limits)) {
    say("the results socket \"%s\" cannot be made: %s", path, strerror(errno));
    return EXIT_NO_RUN;
  }
  struct pollfd waiting[] = { { results.socket, POLLIN, 0 }, { signals, POLLIN, 0 }, { STDIN_FILENO, POLLIN, 0 } };
  for (;;) {
    if (poll(waiting, 3, -1) < 0 && errno != EINTR) break;
    results_drain(&results);
    char ignored[256];
    bool ended = (waiting[2].revents & (POLLIN | POLLHUP)) && read(STDIN_FILENO, ignored, sizeof ignored) <= 0;
    if (ended || (waiting[1].revents & POLLIN)) break;
  }
  results_drain(&results);
  free(directory_copy);
  free(name_copy);
  free(results.buffer);
  return 0;
}

static ssize_t read_some(int fd, unsigned char *into, size_t most) {
  size_t size = 0;
  while (size < most) {
    ssize_t got = read(fd, into + size, most - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return -1;
    if (got == 0) break;
    size += (size_t)got;
  }
  return (ssize_t)size;
}

static int send_result(const unsigned char *bytes, size_t size) {
  const char *path = getenv("ABACO_RESULTS_SOCKET");
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  if (!path) path = "/_abaco_results.sock";
  if (strlen(path) >= sizeof address.sun_path) {
    say("the path of the results socket is too long");
    return 1;
  }
  memcpy(address.sun_path, path, strlen(path) + 1);
  int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ssize_t sent = -1;
  while (fd >= 0 && (sent = sendto(fd, bytes, size, 0, (struct sockaddr *)&address, sizeof address)) < 0) {
    if (errno != EINTR) break;
  }
  int trouble = errno;
  if (fd >= 0) close(fd);
  if (sent == (ssize_t)size) {
    /* The socket takes more than what is kept, and counts it as dropped; only here can the sender still be told. */
    const char *limit = getenv("ABACO_RESULT_LIMIT");
    if (!limit || size <= strtoull(limit, NULL, 10)) return 0;
    say("a result of %zu bytes is longer than the %s bytes that are kept; hand it back in pieces", size, limit);
    return 1;
  }
  if (trouble == EMSGSIZE) say("a result of %zu bytes is longer than one datagram can be; hand it back in pieces", size);
  else say("the result cannot be sent to \"%s\": %s", path, strerror(trouble));
  return 1;
}

int result_use(int count, char *arguments[]) {
  if (count > 1) {
    say("usage: result [FILE]");
    return EXIT_USAGE;
  }
  int fd = count == 1 ? open(arguments[0], O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
  unsigned char *bytes = malloc(LARGEST_SENT);
  ssize_t size = fd < 0 || !bytes ? -1 : read_some(fd, bytes, LARGEST_SENT);
  int code = 1;
  if (size < 0) say("the result cannot be read: %s", strerror(errno));
  else if (size == 0) say("there is nothing to hand back: an empty result would not be kept");
  else code = send_result(bytes, (size_t)size);
  free(bytes);
  return code;
}
