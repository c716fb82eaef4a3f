#define _GNU_SOURCE
#include "signals.h"
#include <stddef.h>

void signals_hold(sigset_t *held) {
  sigfillset(held);
  const int faults[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS };
  for (size_t index = 0; index < sizeof faults / sizeof *faults; index += 1) sigdelset(held, faults[index]);
  sigprocmask(SIG_BLOCK, held, NULL);
}

void signals_pass(struct signals_told *told, pid_t program, int number) {
  bool *before = number == SIGTERM ? &told->term : number == SIGINT ? &told->interrupt : NULL;
  if (before && *before) return;
  if (before) *before = true;
  kill(-program, number);
}
