/* The use `rank`: one of several tasks of a program whose start is decided already. */

#define _GNU_SOURCE
#include "rank.h"
#include "common.h"
#include "environment.h"
#include "options.h"
#include "program.h"
#include "signals.h"
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

extern char **environ;

/*
 * Says to all ranks that they are to end. Slurm brings a signal for a step to each first process of a task, or to all
 * processes, as the cluster is set up. So it is one that does nothing to a program that hears it directly.
 */
enum { END_OF_ALL_RANKS = SIGWINCH };

/*
 * @returns its exit code; 128 + signal for a signal. 0 where all ranks were to end: to srun any other is a reason to cut the
 * good-byes of those that are not so far.
 */
static int follow(pid_t program, const sigset_t *held) {
  struct signals_told told = { 0 };
  bool all_end = false;
  for (;;) {
    int number = sigwaitinfo(held, NULL);
    if (number == SIGCHLD) {
      int status;
      if (waitpid(program, &status, WNOHANG) != program) continue;
      if (all_end) return 0;
      return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    }
    if (number <= 0) continue;
    if (number == END_OF_ALL_RANKS) all_end = true;
    signals_pass(&told, program, number == END_OF_ALL_RANKS ? SIGTERM : number);
  }
}

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
  sigset_t held;
  signals_hold(&held);
  struct program program = program_start(arguments, environment, PROGRAM_SHARES_OUTPUT);
  if (program.trouble == 0) return follow(program.pid, &held);
  say("\"%s\": %s", arguments[0], strerror(program.trouble));
  return program.trouble == ENOENT ? 127 : 126;
}
