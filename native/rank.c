/* The use `rank`: one of several tasks of a program whose start is decided already. Puts the environment in place. */

#define _GNU_SOURCE
#include "rank.h"
#include "common.h"
#include "environment.h"
#include "options.h"
#include "program.h"
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern char **environ;

int rank_use(int count, char *all[]) {
  const char *run = NULL;
  uint64_t result_limit = 0;
  const struct option_spec options[] = {
    { "--run", &run, NULL, true },
    { "--result-limit", NULL, &result_limit, true },
  };
  int behind = options_read(count, all, options, sizeof options / sizeof *options);
  if (behind >= 0 && behind + 1 >= count) say("the image has no entrypoint and no command: there is nothing to start");
  if (behind < 0 || behind + 1 >= count) return EXIT_USAGE;
  char **arguments = all + behind + 1;
  char path[PATH_MAX];
  char limit[24];
  snprintf(limit, sizeof limit, "%" PRIu64, result_limit);
  setenv("ABACO_RESULT_LIMIT", limit, 1);
  char **environment = join_path(path, sizeof path, run, "env") ? environment_read(path, environ) : NULL;
  if (!environment) {
    say("the environment in \"%s\" cannot be read: %s", run, strerror(errno));
    return EXIT_NO_RUN;
  }
  int trouble = program_execute(arguments, environment);
  say("\"%s\": %s", arguments[0], strerror(trouble));
  return trouble == ENOENT ? 127 : 126;
}
