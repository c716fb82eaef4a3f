#ifndef ABACO_OPTIONS_H
#define ABACO_OPTIONS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One `--name VALUE`; the value goes to `text` or, checked to be a number, to `number`. */
struct option_spec {
  const char *name;
  const char **text;
  uint64_t *number;
  bool required;
};

/* Reads options up to `--` or the end. @returns the index behind them, or -1 after it has said what is wrong. */
int options_read(int count, char *arguments[], const struct option_spec *options, size_t known);
#endif
