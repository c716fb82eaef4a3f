import type { Clock } from '../lib/clock.ts';
import type { ExecutionAnswer } from './answer.ts';
import { awaitEnd } from './await-end.ts';
import { followLog } from './follow-log.ts';
import { createPatience, type Patience } from './patience.ts';
import type { Screen } from './screen.ts';
import type { Service } from './service.ts';
import { createWaitNotes } from './wait-notes.ts';

export interface WatchOptions {
  readonly service: Service;
  readonly screen: Screen;
  readonly clock: Clock;
  readonly actorId: string;
  readonly executionId: string;
  readonly writeLog: (text: string) => Promise<void>;
  readonly signal: AbortSignal;
}

/** Longest time the service may be away while one of its executions is watched. */
const awayMs = 60_000;
const everyMs = 500;

/** Writes the whole log as it grows, and says why the execution waits, until it has ended. */
export async function watchExecution(options: WatchOptions): Promise<ExecutionAnswer> {
  const { service, screen, clock, actorId, executionId, writeLog, signal } = options;
  const patience = patienceFor(options);
  const follower = followLog({ service, actorId, executionId, write: writeLog, everyMs });
  try {
    const onLook = createWaitNotes(screen, clock);
    const execution = await awaitEnd({ service, actorId, executionId, patience, signal, onLook });
    await patience(() => follower.finish());
    return execution;
  } finally {
    await follower.stop();
  }
}

/** Says once that the service is away. */
export function patienceFor({ screen, clock, signal }: Pick<WatchOptions, 'screen' | 'clock' | 'signal'>): Patience {
  return createPatience({
    awayMs,
    everyMs,
    clock,
    signal,
    onAway: (error) => screen.note(`${error.message}; trying again`),
  });
}
