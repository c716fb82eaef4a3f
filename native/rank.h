#ifndef ABACO_RANK_H
#define ABACO_RANK_H
int rank_use(int count, char *arguments[]);
#endif
