/** What is kept of the job of an attempt, for this process and later ones. Pure. */

import type { DecidedAttempt, LaunchHandle } from '../../src/launcher/launcher.ts';
import { closedEntryMs } from '../../src/launcher/ledger.ts';
import { renderOutputLimits } from '../../src/launcher/output-limits.ts';
import type { FollowedJob } from './job-poller.ts';

export interface KnownJob {
  readonly launcher: string;
  readonly owner: string;
  /** Empty where it is not known. */
  readonly nativeId: string;
  /** It was handed over just now. One that is found may have ended long ago, while nobody could look. */
  readonly isNew: boolean;
}

export function renderHandle(attempt: DecidedAttempt, { isNew, ...job }: KnownJob, now: Date): LaunchHandle {
  const { executionId, attempt: number, limits } = attempt;
  // No entry of a ledger is good for longer by default.
  const sinceMs = now.getTime() - (isNew ? 0 : closedEntryMs);
  return { ...job, executionId, attempt: number, version: 1, state: { ...renderOutputLimits(limits), sinceMs } };
}

/** What Slurm is asked about. */
export function followedBy(handle: LaunchHandle, user: string): FollowedJob {
  const since = new Date(Number(handle.state['sinceMs'] ?? Date.now()));
  // Slurm refuses a whole question for one number that is none.
  const id = /^\d+(?:_\d+)?$/.test(handle.nativeId) ? handle.nativeId : '';
  return { id, user, since };
}
