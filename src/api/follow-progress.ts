/** The states of an execution as they come, to its end. */

import { type Execution, isFinal } from '../executions/execution.ts';
import { type ServerEvent, stillThere } from './event-stream.ts';
import { renderProgress } from './execution-view.ts';
import type { Services } from './services.ts';
import { watchExecution } from './watch-execution.ts';

/** Changes of the wait make no news, so this often they are looked for. */
const lookEveryMs = 1_000;

export async function* followProgress(
  services: Pick<Services, 'executions' | 'history' | 'news' | 'clock'>,
  first: Execution,
  signal: AbortSignal,
): AsyncIterable<ServerEvent | typeof stillThere> {
  let told = '';
  const watch = { kinds: ['posted', 'running', 'ended'], everyMs: lookEveryMs, signal } as const;
  for await (const execution of watchExecution(services, first, watch)) {
    if (execution === stillThere) {
      yield stillThere;
      continue;
    }
    const now = services.clock.now();
    const data = renderProgress(execution, now);
    // The age of a wait grows always; what it waits for is what counts.
    const key = JSON.stringify({ ...data, wait: execution.wait });
    if (key !== told) yield { event: isFinal(execution.state) ? 'end' : 'status', data };
    if (isFinal(execution.state)) return;
    told = key;
  }
}
