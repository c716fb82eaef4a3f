/** Waits for the answer to a synchronous message: its first result, or the end without one (contract §7.7). */

import { type Body, type Execution, isFinal } from '../executions/execution.ts';
import type { ActorRef } from '../mailbox/keys.ts';
import { readExecution } from './execution-reader.ts';
import type { Services } from './services.ts';

export type SynchronousAnswer =
  | { readonly kind: 'result'; readonly result: Body }
  | { readonly kind: 'ended'; readonly execution: Execution }
  | { readonly kind: 'late' };

/** News makes it fast; a look this often makes it right. */
const lookEveryMs = 1_000;

/** Rejects when `signal` aborts. The execution goes on whatever becomes of the wait. */
export async function waitForAnswer(
  services: Pick<Services, 'executions' | 'history' | 'news'>,
  actor: ActorRef,
  executionId: string,
  options: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<SynchronousAnswer> {
  const deadline = performance.now() + options.timeoutMs;
  for (;;) {
    using change = services.news.next(
      (item) => item.executionId === executionId && (item.kind === 'results' || item.kind === 'ended'),
      Math.max(0, Math.min(lookEveryMs, deadline - performance.now())),
      options.signal,
    );
    const answer = await look(services, actor, executionId);
    if (answer) return answer;
    if (performance.now() >= deadline) return { kind: 'late' };
    await change.come;
  }
}

async function look(
  services: Pick<Services, 'executions' | 'history'>,
  actor: ActorRef,
  executionId: string,
): Promise<SynchronousAnswer | undefined> {
  const execution = await readExecution(services, actor, executionId);
  // Read after the state: results come before the end.
  const result = await services.executions.takeResult(actor, executionId);
  if (result) return { kind: 'result', result };
  return execution && isFinal(execution.state) ? { kind: 'ended', execution } : undefined;
}
