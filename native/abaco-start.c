/* One program, four uses; which one is said by the first argument, or by the name it is called as. */

#include "common.h"
#include "rank.h"
#include "results.h"
#include "start.h"
#include <string.h>

static int usage(void) {
  say("usage: abaco-start start --ledger DIR --run DIR --not-after SECONDS [--time-limit MS] [--began SECONDS] --grace MS"
      " --log-limit BYTES --result-limit BYTES [--result-total BYTES] [--result-count N]"
      " [--environment FILE] [--label TEXT] -- PROGRAM [ARG...]");
  say("       abaco-start rank --run DIR --result-limit BYTES -- PROGRAM [ARG...]");
  say("       abaco-start results --socket PATH --file PATH --result-limit BYTES"
      " [--result-total BYTES] [--result-count N]");
  say("       abaco-start result [FILE]");
  return EXIT_USAGE;
}

int main(int count, char *arguments[]) {
  if (count < 1) return usage();
  const char *slash = strrchr(arguments[0], '/');
  const char *name = slash ? slash + 1 : arguments[0];
  if (strcmp(name, "result") == 0) return result_use(count - 1, arguments + 1);
  if (count < 2) return usage();
  if (strcmp(arguments[1], "start") == 0) return start_use(count - 2, arguments + 2);
  if (strcmp(arguments[1], "rank") == 0) return rank_use(count - 2, arguments + 2);
  if (strcmp(arguments[1], "results") == 0) return results_use(count - 2, arguments + 2);
  if (strcmp(arguments[1], "result") == 0) return result_use(count - 2, arguments + 2);
  return usage();
}
