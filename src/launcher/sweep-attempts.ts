/** How a launcher finds what a crash left: whatever is there, belongs to no live attempt, and is still there then. */

import { attemptKey, uniqueAttempts } from './attempt-key.ts';
import type { AttemptRef } from './launcher.ts';

export interface SweepAttemptsOptions {
  /** Every attempt of which something is there now. */
  readonly list: () => Promise<readonly AttemptRef[]>;
  readonly isLive: (ref: AttemptRef) => Promise<boolean>;
  readonly remove: (ref: AttemptRef) => Promise<void>;
  readonly signal: AbortSignal;
}

/**
 * Looks twice: what is live stays so until after its removal, so that only what is seen again once it is known to be dead
 * was really left behind.
 *
 * @returns what was removed.
 */
export async function sweepAttempts(options: SweepAttemptsOptions): Promise<readonly AttemptRef[]> {
  const dead = new Set<string>();
  for (const ref of uniqueAttempts(await options.list())) {
    options.signal.throwIfAborted();
    if (!(await options.isLive(ref))) dead.add(attemptKey(ref));
  }
  if (dead.size === 0) return [];
  const left = uniqueAttempts(await options.list()).filter((ref) => dead.has(attemptKey(ref)));
  for (const ref of left) {
    options.signal.throwIfAborted();
    await options.remove(ref);
  }
  return left;
}
