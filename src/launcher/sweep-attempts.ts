/** How a launcher finds what a crash left: whatever is there, belongs to no live attempt, and is still there then. */

import { fairShare } from '../lib/fair-share.ts';
import { attemptKey, uniqueAttempts } from './attempt-key.ts';
import type { AttemptRef, FindDead } from './launcher.ts';

export interface SweepAttemptsOptions {
  /** Every attempt of which something is there now. */
  readonly list: () => Promise<readonly AttemptRef[]>;
  readonly findDead: FindDead;
  readonly remove: (ref: AttemptRef) => Promise<void>;
  readonly signal: AbortSignal;
}

/**
 * Looks twice: what is live stays so until after its removal, so that only what is seen again once it is known to be dead
 * was really left behind. Whoever owns it may have made any number of directories: no more than a fair share is removed,
 * and the next sweep finds the rest.
 *
 * @returns what was removed.
 */
export async function sweepAttempts(options: SweepAttemptsOptions): Promise<readonly AttemptRef[]> {
  const found = uniqueAttempts(await options.list());
  options.signal.throwIfAborted();
  const dead = new Set((await options.findDead(found)).map(attemptKey));
  if (dead.size === 0) return [];
  const left = uniqueAttempts(await options.list()).filter((ref) => dead.has(attemptKey(ref)));
  const removed: AttemptRef[] = [];
  for (const ref of fairShare(left)) {
    options.signal.throwIfAborted();
    await options.remove(ref);
    removed.push(ref);
  }
  return removed;
}
