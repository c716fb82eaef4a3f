/* The use `start`: the first process of every container. See README.md for its promises, step by step. */

#define _GNU_SOURCE
#include "start.h"
#include "common.h"
#include "end-record.h"
#include "environment.h"
#include "log.h"
#include "marker.h"
#include "options.h"
#include "program.h"
#include "results.h"
#include "signals.h"
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

enum { NEVER = -1, LONGEST_REAP_MS = 5000, LONGEST_LABEL = 200 };

struct settings {
  const char *ledger;
  const char *run;
  /* File of the environment; null is `env` in the run directory. */
  const char *environment;
  const char *label;
  uint64_t not_after;
  uint64_t time_limit_ms;
  /* Since when the time counts, Unix seconds of this machine; 0 is since the start of the program. */
  uint64_t began;
  uint64_t grace_ms;
  uint64_t log_limit;
  struct results_limits results;
};

struct run {
  const struct settings *settings;
  struct program program;
  struct log log;
  struct results results;
  int signals;
  bool ended;
  int status;
  /* Why it was told to end, or null. */
  const char *told;
  struct signals_told passed;
  /* When the time limit sends TERM, and when KILL follows; monotonic ms, NEVER when not. */
  int64_t limit_at;
  int64_t kill_at;
};

static int64_t monotonic_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int read_settings(int count, char *arguments[], struct settings *settings) {
  *settings = (struct settings){ 0 };
  const struct option_spec options[] = {
    { "--ledger", &settings->ledger, NULL, true },
    { "--run", &settings->run, NULL, true },
    { "--not-after", NULL, &settings->not_after, true },
    { "--time-limit", NULL, &settings->time_limit_ms, false },
    { "--began", NULL, &settings->began, false },
    { "--grace", NULL, &settings->grace_ms, true },
    { "--log-limit", NULL, &settings->log_limit, true },
    { "--result-limit", NULL, &settings->results.one, true },
    { "--result-total", NULL, &settings->results.total, false },
    { "--result-count", NULL, &settings->results.count, false },
    { "--environment", &settings->environment, NULL, false },
    { "--label", &settings->label, NULL, false },
  };
  int behind = options_read(count, arguments, options, sizeof options / sizeof *options);
  if (behind >= 0 && behind + 1 >= count) {
    say("the image has no entrypoint and no command: there is nothing to start");
    return -1;
  }
  return behind < 0 ? -1 : behind + 1;
}

/* Signals come through the descriptor, also those that arrive before the program. */
static int listen_for_signals(void) {
  sigset_t held;
  signals_hold(&held);
  return signalfd(-1, &held, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void tell_to_end(struct run *run, const char *reason) {
  if (!run->told) run->told = reason;
  if (run->kill_at == NEVER) run->kill_at = monotonic_ms() + (int64_t)run->settings->grace_ms;
}

static void reap(struct run *run) {
  int status;
  for (pid_t pid = waitpid(-1, &status, WNOHANG); pid > 0; pid = waitpid(-1, &status, WNOHANG)) {
    if (pid != run->program.pid) continue;
    run->status = status;
    run->ended = true;
  }
}

static void hear_signals(struct run *run) {
  struct signalfd_siginfo heard;
  while (read(run->signals, &heard, sizeof heard) == (ssize_t)sizeof heard) {
    int number = (int)heard.ssi_signo;
    if (number == SIGCHLD) {
      reap(run);
    } else if (number != SIGPIPE && number != SIGXFSZ && !run->ended) {
      /* Those two say something of our own writing. */
      signals_pass(&run->passed, run->program.pid, number);
      if (number == SIGTERM || number == SIGINT) tell_to_end(run, "signalled");
    }
  }
}

static void keep_time(struct run *run) {
  int64_t now = monotonic_ms();
  if (run->limit_at != NEVER && now >= run->limit_at) {
    run->limit_at = NEVER;
    signals_pass(&run->passed, run->program.pid, SIGTERM);
    tell_to_end(run, "time-limit");
  }
  if (run->kill_at != NEVER && now >= run->kill_at) {
    kill(-run->program.pid, SIGKILL);
    run->kill_at = now + 1000;
  }
}

static int next_timeout(const struct run *run) {
  int64_t at = run->limit_at;
  if (at == NEVER || (run->kill_at != NEVER && run->kill_at < at)) at = run->kill_at;
  if (at == NEVER) return -1;
  int64_t left = at - monotonic_ms();
  if (left < 0) return 0;
  return left > INT_MAX ? INT_MAX : (int)left;
}

static void follow(struct run *run) {
  struct pollfd waiting[] = {
    { run->signals, POLLIN, 0 },
    { run->results.socket, POLLIN, 0 },
    { run->program.output, POLLIN, 0 },
  };
  while (!run->ended) {
    if (poll(waiting, 3, next_timeout(run)) < 0 && errno != EINTR) break;
    results_drain(&run->results);
    /* A program that closed its output is not over; its end of the pipe is not asked again. */
    if (waiting[2].revents && log_copy(&run->log, run->program.output) == 0) waiting[2].fd = -1;
    hear_signals(run);
    keep_time(run);
  }
}

/* Processes that were handed to us because their parent ended; none of them outlives the program. */
static void kill_children(void) {
  char path[64];
  snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
  prctl(PR_SET_DUMPABLE, 1);
  FILE *children = fopen(path, "re");
  int pid;
  while (children && fscanf(children, "%d", &pid) == 1) kill(pid, SIGKILL);
  if (children) fclose(children);
  prctl(PR_SET_DUMPABLE, 0);
}

static void end_the_rest(struct run *run) {
  int64_t until = monotonic_ms() + LONGEST_REAP_MS;
  do {
    if (getpid() == 1) {
      kill(-1, SIGKILL);
    } else {
      kill(-run->program.pid, SIGKILL);
      kill_children();
    }
    pid_t pid = waitpid(-1, NULL, WNOHANG);
    if (pid < 0 && errno == ECHILD) break;
    /* What they still write must not keep them. */
    while (log_copy(&run->log, run->program.output) > 0) {
    }
    results_drain(&run->results);
    if (pid == 0) poll(NULL, 0, 2);
  } while (monotonic_ms() < until);
  while (log_copy(&run->log, run->program.output) > 0) {
  }
  results_drain(&run->results);
}

static void describe(const struct run *run, const char *program, struct end_record *record) {
  if (run->program.trouble != 0) {
    bool missing = run->program.trouble == ENOENT;
    record->reason = "exec-failed";
    record->exit_code = missing ? 127 : 126;
    snprintf(record->detail, sizeof record->detail, "\"%s\": %s", program, strerror(run->program.trouble));
  } else {
    record->reason = run->told ? run->told : "exited";
    record->signal = WIFSIGNALED(run->status) ? WTERMSIG(run->status) : 0;
    record->exit_code = record->signal ? 128 + record->signal : WEXITSTATUS(run->status);
  }
  const int lost = run->log.trouble ? run->log.trouble : run->results.trouble;
  if (lost && record->detail[0] == '\0') {
    const char *what = run->log.trouble ? "log" : "results";
    snprintf(record->detail, sizeof record->detail, "%s could not be kept: %s", what, strerror(lost));
  }
  for (char *at = record->detail; *at; at += 1) {
    if (*at == '\n' || *at == '\r') *at = ' ';
  }
  record->log_bytes = run->log.kept;
  record->log_total_bytes = run->log.total;
  record->results = run->results.kept;
  record->dropped_results = run->results.dropped;
}

/* What can fail for reasons of the host fails here, while the attempt is still free. */
static char **prepare(const struct settings *settings, struct run *run) {
  char path[PATH_MAX];
  char **environment = NULL;
  char limit[24];
  snprintf(limit, sizeof limit, "%" PRIu64, settings->results.one);
  setenv("ABACO_RESULT_LIMIT", limit, 1);
  if (settings->environment) environment = environment_read(settings->environment, environ);
  else if (join_path(path, sizeof path, settings->run, "env")) environment = environment_read(path, environ);
  if (!environment) {
    say("the environment in \"%s\" cannot be read: %s", settings->run, strerror(errno));
    return NULL;
  }
  if (!join_path(path, sizeof path, settings->run, "log") || !log_open(&run->log, path, settings->log_limit)) {
    say("the log in \"%s\" cannot be written: %s", settings->run, strerror(errno));
    return NULL;
  }
  run->signals = listen_for_signals();
  return run->signals < 0 ? NULL : environment;
}

/* What a container takes to start is time of the job: it is no time of the program. */
static int64_t time_left_ms(const struct settings *settings) {
  int64_t limit = (int64_t)settings->time_limit_ms;
  int64_t gone = settings->began > 0 ? now_ms() - (int64_t)settings->began * 1000 : 0;
  if (gone <= 0) return limit;
  return gone < limit ? limit - gone : 0;
}

static void start_program(struct run *run, char *arguments[], char **environment) {
  const struct settings *settings = run->settings;
  char file[PATH_MAX];
  bool ready = join_path(file, sizeof file, settings->run, "results")
    && results_open(&run->results, settings->run, "results.sock", file, settings->results);
  if (!ready) {
    run->program = (struct program){ .pid = -1, .output = -1, .trouble = errno ? errno : EIO };
    return;
  }
  run->program = program_start(arguments, environment, PROGRAM_HAS_PIPE);
  if (settings->time_limit_ms > 0) run->limit_at = monotonic_ms() + time_left_ms(settings);
}

int start_use(int count, char *all[]) {
  struct settings settings;
  int behind = read_settings(count, all, &settings);
  if (behind < 0) return EXIT_USAGE;
  char **arguments = all + behind;
  if (settings.label && (strlen(settings.label) > LONGEST_LABEL || strpbrk(settings.label, "\r\n"))) {
    say("the text after --label is longer than %d bytes, or more than one line", LONGEST_LABEL);
    return EXIT_USAGE;
  }
  prctl(PR_SET_DUMPABLE, 0);
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  if ((uint64_t)(now_ms() / 1000) > settings.not_after) {
    say("too late: this attempt may not start any more");
    return EXIT_NOT_THE_ONE;
  }
  struct run run = { .settings = &settings, .limit_at = NEVER, .kill_at = NEVER };
  char **environment = prepare(&settings, &run);
  if (!environment) return EXIT_NO_RUN;
  char owner[MARKER_NAME_SIZE];
  if (!marker_take(settings.ledger, settings.label, owner)) return EXIT_NOT_THE_ONE;

  struct end_record record = { .owner = owner, .started_ms = now_ms() };
  start_program(&run, arguments, environment);
  if (run.program.trouble == 0) follow(&run);
  if (run.program.pid > 0) end_the_rest(&run);
  record.finished_ms = now_ms();
  describe(&run, arguments[0], &record);
  end_record_write(settings.ledger, &record);
  return record.exit_code;
}
