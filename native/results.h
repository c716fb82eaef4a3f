#ifndef ABACO_RESULTS_H
#define ABACO_RESULTS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is kept: of one result, of the file with all of them, and how many frames it may hold. The latter two: 0 is no limit. */
struct results_limits {
  uint64_t one;
  uint64_t total;
  uint64_t count;
};

/* The results socket and the file its datagrams are framed into; formats in README.md. */
struct results {
  int socket;
  int file;
  struct results_limits limits;
  unsigned char *buffer;
  /* What we have written of the file. */
  uint64_t bytes;
  uint64_t frames;
  uint64_t kept;
  uint64_t dropped;
  /* The first reason why one could not be kept, or 0. */
  int trouble;
};

/* Binds DIRECTORY/NAME (an older one is replaced), open to any sender. False with errno. */
bool results_open(
  struct results *results, const char *directory, const char *name, const char *file, struct results_limits limits);
/* Takes every datagram there is now. @returns whether there was one. */
bool results_drain(struct results *results);
/* The use `results`: takes datagrams until TERM or the end of standard input. */
int results_use(int count, char *arguments[]);
/* The use `result`: sends standard input or a file as one result. */
int result_use(int count, char *arguments[]);
#endif
