#ifndef ABACO_ENVIRONMENT_H
#define ABACO_ENVIRONMENT_H
/* Lays the NUL-separated entries of a file over the inherited environment; later wins. Null and errno when unreadable. */
char **environment_read(const char *path, char *const inherited[]);
/* The value in this environment, or null. */
const char *environment_get(char *const environment[], const char *name);
#endif
