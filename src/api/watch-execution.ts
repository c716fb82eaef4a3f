/** An execution over time: as it is now, and again whenever something may have happened to it. */

import type { Execution } from '../executions/execution.ts';
import type { NewsKind } from '../mailbox/news.ts';
import { stillThere } from './event-stream.ts';
import { readExecution } from './execution-reader.ts';
import type { Services } from './services.ts';

export interface WatchOptions {
  /** News that make it look at once. */
  readonly kinds: readonly NewsKind[];
  /** How long it may look later than this look without news. */
  readonly everyMs: (execution: Execution) => number;
  readonly signal: AbortSignal;
}

/** Silence that some proxies still stand. */
const sayStillThereEveryMs = 15_000;

/** Ends when the execution is gone for good, or `signal` aborts; the caller stops when it has seen enough. */
export async function* watchExecution(
  services: Pick<Services, 'executions' | 'history' | 'news'>,
  first: Execution,
  { kinds, everyMs, signal }: WatchOptions,
): AsyncIterable<Execution | typeof stillThere> {
  let execution: Execution | undefined = first;
  let spokeAt = performance.now();
  while (execution && !signal.aborted) {
    const id = execution.id;
    using change = services.news.next(
      (item) => item.executionId === id && kinds.includes(item.kind),
      everyMs(execution),
      signal,
    );
    execution = await readExecution(services, execution, id);
    if (!execution) return;
    yield execution;
    if (performance.now() - spokeAt >= sayStillThereEveryMs) {
      spokeAt = performance.now();
      yield stillThere;
    }
    await change.come;
  }
}
