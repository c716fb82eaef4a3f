#include "options.h"
#include "common.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool read_number(const char *text, uint64_t *into) {
  char *end = NULL;
  errno = 0;
  unsigned long long value = strtoull(text, &end, 10);
  if (errno != 0 || end == text || *end != '\0' || text[0] == '-') return false;
  /* Milliseconds are added to the time; no sum may overflow. */
  if (value > INT64_MAX / 2) return false;
  *into = value;
  return true;
}

static const struct option_spec *find(const char *name, const struct option_spec *options, size_t known) {
  for (size_t index = 0; index < known; index += 1) {
    if (strcmp(options[index].name, name) == 0) return &options[index];
  }
  return NULL;
}

int options_read(int count, char *arguments[], const struct option_spec *options, size_t known) {
  uint64_t seen = 0;
  int index = 0;
  while (index < count && strcmp(arguments[index], "--") != 0) {
    const struct option_spec *option = find(arguments[index], options, known);
    if (!option || index + 1 >= count) {
      say("%s \"%s\"", option ? "a value is missing after" : "unknown option", arguments[index]);
      return -1;
    }
    if (option->text) *option->text = arguments[index + 1];
    if (option->number && !read_number(arguments[index + 1], option->number)) {
      say("\"%s\" after %s is not a number", arguments[index + 1], option->name);
      return -1;
    }
    seen |= UINT64_C(1) << (option - options);
    index += 2;
  }
  for (size_t each = 0; each < known; each += 1) {
    if (options[each].required && !(seen & (UINT64_C(1) << each))) {
      say("%s is missing", options[each].name);
      return -1;
    }
  }
  return index;
}
