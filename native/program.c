#define _GNU_SOURCE
#include "program.h"
#include "environment.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

/* As a shell finds it, by the PATH the program itself will have. @returns errno where it could not. */
static int execute(char *const arguments[], char *const environment[]) {
  const char *name = arguments[0];
  if (strchr(name, '/')) {
    execve(name, arguments, environment);
    return errno;
  }
  const char *path = environment_get(environment, "PATH");
  if (!path) path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  int trouble = ENOENT;
  while (*path) {
    size_t length = strcspn(path, ":");
    char candidate[PATH_MAX];
    int size = snprintf(candidate, sizeof candidate, "%.*s%s%s", (int)length, path, length > 0 ? "/" : "", name);
    if (size > 0 && (size_t)size < sizeof candidate) {
      execve(candidate, arguments, environment);
      if (errno != ENOENT && errno != ENOTDIR) trouble = errno;
    }
    path += length + (path[length] == ':');
  }
  return trouble;
}

static void become(char *const arguments[], char *const environment[], int output, int report) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (int number = 1; number < NSIG; number += 1) {
    if (number != SIGKILL && number != SIGSTOP) (void)signal(number, SIG_DFL);
  }
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (nothing >= 0) dup2(nothing, STDIN_FILENO);
  else close(STDIN_FILENO);
  if (output >= 0) {
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
  }
  int trouble = execute(arguments, environment);
  (void)!write(report, &trouble, sizeof trouble);
  _exit(127);
}

struct program program_start(char *const arguments[], char *const environment[], enum program_output where) {
  int output[2] = { -1, -1 };
  int report[2] = { -1, -1 };
  struct program program = { .pid = -1, .output = -1, .trouble = 0 };
  if ((where == PROGRAM_HAS_PIPE && pipe2(output, O_CLOEXEC) != 0) || pipe2(report, O_CLOEXEC) != 0) {
    program.trouble = errno;
    return program;
  }
  program.pid = fork();
  if (program.pid == 0) become(arguments, environment, output[1], report[1]);
  if (program.pid < 0) program.trouble = errno;
  else setpgid(program.pid, program.pid);
  if (where == PROGRAM_HAS_PIPE) {
    close(output[1]);
    program.output = output[0];
    fcntl(program.output, F_SETFL, O_NONBLOCK);
  }
  close(report[1]);
  /* Nothing comes when it was started: the pipe closes with exec. */
  while (program.pid > 0 && read(report[0], &program.trouble, sizeof program.trouble) < 0 && errno == EINTR) {
  }
  close(report[0]);
  return program;
}
