#define _GNU_SOURCE
#include "marker.h"
#include "common.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

static bool draw_name(const char *label, char name[MARKER_NAME_SIZE]) {
  unsigned char random[16];
  if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random) return false;
  for (size_t index = 0; index < sizeof random; index += 1) snprintf(name + 2 * index, 3, "%02x", random[index]);
  if (label) {
    int length = snprintf(name + 32, MARKER_NAME_SIZE - 32, "@%s", label);
    return length > 0 && length < MARKER_NAME_SIZE - 32;
  }
  return true;
}

bool marker_take(const char *ledger, const char *label, char name[MARKER_NAME_SIZE]) {
  char path[PATH_MAX];
  char found[MARKER_NAME_SIZE];
  if (!draw_name(label, name) || !join_path(path, sizeof path, ledger, "start")) return false;
  /* A repeated NFS call may say EEXIST to the very process that made the link, so only reading decides. */
  if (symlink(name, path) != 0 && errno != EEXIST) {
    say("the start marker in \"%s\" cannot be made: %s", ledger, strerror(errno));
    return false;
  }
  ssize_t length = readlink(path, found, sizeof found);
  if (length != (ssize_t)strlen(name) || memcmp(found, name, (size_t)length) != 0) {
    say("another start holds the marker: %.*s", (int)(length > 0 ? length : 0), found);
    return false;
  }
  sync_directory(ledger);
  return true;
}
