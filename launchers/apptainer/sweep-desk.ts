/** What a crash left of one user on a host: run directories, and the processes that belong to them. */

import type { AttemptRef, FindDead } from '../../src/launcher/launcher.ts';
import { sweepAttempts } from '../../src/launcher/sweep-attempts.ts';
import type { Found } from '../host/owners.ts';
import type { Desk } from './desk.ts';

export interface SweepDeskOptions {
  readonly desk: Desk;
  /** Nobody's where all programs run as one. */
  readonly owner: string | undefined;
  readonly findDead: FindDead;
  readonly remove: (ref: AttemptRef) => Promise<void>;
  readonly signal: AbortSignal;
}

export async function sweepDesk({ desk, owner, ...options }: SweepDeskOptions): Promise<Found> {
  const withOwner = (ref: AttemptRef): AttemptRef => (owner === undefined ? ref : { ...ref, owner });
  const list = async (): Promise<readonly AttemptRef[]> => (await desk.runs.list()).map(withOwner);
  const removed = await sweepAttempts({ ...options, list });
  await desk.ledger.sweep(new Date(), options.findDead);
  return { removed, isLeft: (await desk.runs.list()).length > 0 };
}
