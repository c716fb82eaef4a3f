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

/* Becomes the program, as a shell would find it by the PATH of `environment`. @returns errno where it could not. */
int program_execute(char *const arguments[], char *const environment[]);
#endif
