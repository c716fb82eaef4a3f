#ifndef ABACO_SIGNALS_H
#define ABACO_SIGNALS_H
#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

/* Blocks all signals but those that report a fault; `held` gets those that are. What arrives waits until it is read. */
void signals_hold(sigset_t *held);

/* What a program was told so far, to begin with all zero. */
struct signals_told {
  bool term;
  bool interrupt;
};

/*
 * Hands `number` on to the process group of `program`. TERM and INT each only once: a scheduler that ends a job tells any
 * number of its processes, some of which tell us again, and to many a program a second one is an order to drop everything.
 */
void signals_pass(struct signals_told *told, pid_t program, int number);
#endif
