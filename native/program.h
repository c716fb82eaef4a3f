#ifndef ABACO_PROGRAM_H
#define ABACO_PROGRAM_H
#include <sys/types.h>

struct program {
  pid_t pid;
  /* Where the pipe of both of its streams is read, or -1. */
  int output;
  /* Why it could not be started, or 0. */
  int trouble;
};

/* Where both of its outputs go: to a pipe, or where ours go. */
enum program_output { PROGRAM_HAS_PIPE, PROGRAM_SHARES_OUTPUT };

/* Starts it in a process group of its own: standard input empty, no signal blocked. It does not outlive us. */
struct program program_start(char *const arguments[], char *const environment[], enum program_output where);
#endif
