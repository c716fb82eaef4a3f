#ifndef ABACO_MARKER_H
#define ABACO_MARKER_H
#include <stdbool.h>
enum { MARKER_NAME_SIZE = 256 };
/* Draws a name once, makes the link LEDGER/start to it, and reads it back. True only when that name stands there. */
bool marker_take(const char *ledger, const char *label, char name[MARKER_NAME_SIZE]);
#endif
