#ifndef ABACO_COMMON_H
#define ABACO_COMMON_H
#include <stdbool.h>
#include <stdint.h>
#include <stddef.h>
#include <sys/types.h>
enum { EXIT_USAGE = 2, EXIT_NOT_THE_ONE = 113, EXIT_NO_RUN = 114 };
/* Says one line on standard error. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Writes all of it; false with errno when that fails. */
bool write_all(int fd, const void *bytes, size_t length);
/* DIR/NAME in a buffer of the caller's; false when it does not fit. */
bool join_path(char *into, size_t size, const char *directory, const char *name);
int64_t now_ms(void);
/* Puts what was written in the directory on disk. */
void sync_directory(const char *directory);
#endif
