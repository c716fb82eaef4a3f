#define _GNU_SOURCE
#include "environment.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static size_t name_length(const char *entry) {
  const char *equals = strchr(entry, '=');
  return equals ? (size_t)(equals - entry) : strlen(entry);
}

static void put(char **environment, size_t *count, char *entry) {
  size_t length = name_length(entry);
  for (size_t index = 0; index < *count; index += 1) {
    if (name_length(environment[index]) == length && memcmp(environment[index], entry, length) == 0) {
      environment[index] = entry;
      return;
    }
  }
  environment[(*count)++] = entry;
}

static char *read_whole(const char *path, size_t *size) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return NULL;
  struct stat status;
  char *text = NULL;
  if (fstat(fd, &status) == 0) text = malloc((size_t)status.st_size + 1);
  *size = 0;
  while (text && *size < (size_t)status.st_size) {
    ssize_t got = read(fd, text + *size, (size_t)status.st_size - *size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      free(text);
      text = NULL;
    }
    if (got <= 0) break;
    *size += (size_t)got;
  }
  close(fd);
  if (text) text[*size] = '\0';
  return text;
}

char **environment_read(const char *path, char *const inherited[]) {
  size_t size = 0;
  char *text = read_whole(path, &size);
  if (!text) return NULL;
  size_t most = 1;
  for (char *const *entry = inherited; *entry; entry += 1) most += 1;
  for (size_t index = 0; index < size; index += 1) most += text[index] == '\0';
  char **environment = calloc(most + 1, sizeof *environment);
  if (!environment) return NULL;
  size_t count = 0;
  for (char *const *entry = inherited; *entry; entry += 1) put(environment, &count, *entry);
  for (char *entry = text; entry < text + size; entry += strlen(entry) + 1) {
    if (name_length(entry) > 0 && strchr(entry, '=')) put(environment, &count, entry);
  }
  return environment;
}

const char *environment_get(char *const environment[], const char *name) {
  size_t length = strlen(name);
  for (char *const *entry = environment; *entry; entry += 1) {
    if (name_length(*entry) == length && memcmp(*entry, name, length) == 0) return *entry + length + 1;
  }
  return NULL;
}
