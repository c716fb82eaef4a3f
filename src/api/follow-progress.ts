/** The states of an execution as they come, to its end. */

import { type Execution, isFinal } from '../executions/execution.ts';
import { type ServerEvent, stillThere } from './event-stream.ts';
import { renderProgress } from './execution-view.ts';
import { explainWait, type WaitSources } from './explain-wait.ts';
import type { Services } from './services.ts';
import { watchExecution } from './watch-execution.ts';

/** In a mailbox, those before it and its workers come and go without news of this one; what is held makes news. */
const everyMs = ({ workerId }: Execution): number => (workerId === undefined ? 1_000 : 5_000);

export async function* followProgress(
  services: WaitSources & Pick<Services, 'history' | 'news'>,
  first: Execution,
  signal: AbortSignal,
): AsyncIterable<ServerEvent | typeof stillThere> {
  let told = '';
  const watch = { kinds: ['posted', 'wait', 'running', 'ended'], everyMs, signal } as const;
  for await (const seen of watchExecution(services, first, watch)) {
    if (seen === stillThere) {
      yield stillThere;
      continue;
    }
    const execution = await explainWait(services, seen);
    const now = services.clock.now();
    const data = renderProgress(execution, now);
    // The age of a wait grows always; what it waits for is what counts.
    const key = JSON.stringify({ ...data, wait: execution.wait });
    if (key !== told) yield { event: isFinal(execution.state) ? 'end' : 'status', data };
    if (isFinal(execution.state)) return;
    told = key;
  }
}
