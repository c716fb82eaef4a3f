#ifndef ABACO_PROGRAM_H
#define ABACO_PROGRAM_H
#include <sys/types.h>

struct program {
  pid_t pid;
  /* Both of its streams. */
  int output;
  /* Why it could not be started, or 0. */
  int trouble;
};

/* Starts it in a process group of its own: standard input empty, both outputs one pipe, no signal blocked. */
struct program program_start(char *const arguments[], char *const environment[]);
#endif
