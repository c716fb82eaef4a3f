/** Going on while the service is away for a moment, as it is when it is started anew. */

import { asError, ServiceError } from '../errors.ts';
import { pause } from '../lib/backoff.ts';
import { type Clock, systemClock } from '../lib/clock.ts';

export interface PatienceOptions {
  /** How long the service may be away. */
  readonly awayMs: number;
  readonly everyMs: number;
  readonly signal: AbortSignal;
  readonly clock?: Clock;
  /** Told once, when it is away. */
  readonly onAway: (error: Error) => void;
}

export type Patience = <T>(call: () => Promise<T>) => Promise<T>;

/**
 * Makes a call again while it fails for a reason that may pass. Only for calls that may be repeated. Rejects with the
 * last error when the service stays away.
 */
export function createPatience(options: PatienceOptions): Patience {
  const { awayMs, everyMs, signal, onAway, clock = systemClock } = options;
  let awaySinceMs: number | undefined;
  const noteAway = (error: Error): number => {
    const nowMs = clock.now().getTime();
    if (awaySinceMs === undefined) onAway(error);
    awaySinceMs ??= nowMs;
    return nowMs - awaySinceMs;
  };
  return async (call) => {
    for (;;) {
      try {
        const answer = await call();
        awaySinceMs = undefined;
        return answer;
      } catch (thrown) {
        const error = asError(thrown);
        if (signal.aborted || !isPassing(error) || noteAway(error) >= awayMs) throw error;
        await pause(everyMs, signal);
      }
    }
  };
}

function isPassing(error: Error): boolean {
  return error instanceof ServiceError && error.retryable;
}
