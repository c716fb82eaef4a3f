import { pause } from '../lib/backoff.ts';
import { type ExecutionAnswer, hasEnded } from './answer.ts';
import type { Patience } from './patience.ts';
import type { Service } from './service.ts';

export interface AwaitEndOptions {
  readonly service: Pick<Service, 'execution'>;
  readonly actorId: string;
  readonly executionId: string;
  readonly patience: Patience;
  readonly signal: AbortSignal;
  /** Told each time the execution was looked at. */
  readonly onLook: (execution: ExecutionAnswer) => void;
}

/** Short runs are seen to end soon, long ones do not cost more than two requests a second. */
const firstPauseMs = 50;
const mostPauseMs = 500;

/** Looks at an execution until it has ended. Rejects when the signal aborts. */
export async function awaitEnd(options: AwaitEndOptions): Promise<ExecutionAnswer> {
  const { service, actorId, executionId, patience, signal, onLook } = options;
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(mostPauseMs, pauseMs * 1.25)) {
    const execution = await patience(() => service.execution(actorId, executionId, signal));
    onLook(execution);
    if (hasEnded(execution)) return execution;
    await pause(pauseMs, signal);
    signal.throwIfAborted();
  }
}
