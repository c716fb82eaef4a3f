#ifndef ABACO_START_H
#define ABACO_START_H
/* Takes the start marker and runs a program to its end. @returns the exit code for `main`. */
int start_use(int count, char *arguments[]);
#endif
