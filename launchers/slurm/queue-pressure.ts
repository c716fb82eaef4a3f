/**
 * What is handed over where Slurm has said that it takes no more: a few, after a while, and then as many as it takes. An
 * account that may have two jobs refuses an array of ten for ever, and many executions that wait must not each ask anew;
 * so a refusal halves the next submission, and until it is time for that one nobody of the same kind asks.
 */

import { QuotaError } from '../../src/errors.ts';
import { type BackoffOptions, pauseMs } from '../../src/lib/backoff.ts';

export interface QueuePressure {
  /** Throws what Slurm said, while it is too early to ask again or somebody asks already. */
  check(group: string): void;
  /** As `check`, and counts this one among those who ask. */
  admit(group: string): void;
  /** Most members of the next submission of this kind. */
  most(group: string): number;
  taken(group: string, members: number): void;
  refused(group: string, members: number, error: QuotaError): void;
  /** It went wrong for another reason, which says nothing of this. */
  unanswered(group: string, members: number): void;
  /** Something of this owner has ended, so there may be room. */
  relax(owner: string): void;
}

/** Those of one owner that are under the same limits. */
export function pressureGroup(owner: string, options: Readonly<Record<string, string>>): string {
  return [owner, options['account'] ?? '', options['qos'] ?? '', options['partition'] ?? ''].join('\n');
}

/** So many at once, and nothing is held back any more. */
const unpressed = 1_000;

interface Pressure {
  readonly error: QuotaError;
  readonly failures: number;
  readonly most: number;
  notBeforeMs: number;
  admitted: number;
}

export function createQueuePressure(backoff: BackoffOptions, now: () => number = Date.now): QueuePressure {
  const groups = new Map<string, Pressure>();

  function check(group: string): void {
    const pressure = groups.get(group);
    if (!pressure || (now() >= pressure.notBeforeMs && pressure.admitted < pressure.most)) return;
    const { error } = pressure;
    throw new QuotaError(error.code, error.message, { cause: error });
  }

  return {
    check,
    admit(group) {
      check(group);
      const pressure = groups.get(group);
      if (pressure) pressure.admitted += 1;
    },
    most: (group) => groups.get(group)?.most ?? Number.POSITIVE_INFINITY,
    taken(group, members) {
      const pressure = groups.get(group);
      if (!pressure) return;
      const { error, most, admitted } = pressure;
      if (most * 2 > unpressed) groups.delete(group);
      else
        groups.set(group, {
          error,
          failures: 0,
          most: most * 2,
          notBeforeMs: 0,
          admitted: Math.max(0, admitted - members),
        });
    },
    refused(group, members, error) {
      const failures = groups.get(group)?.failures ?? 0;
      groups.set(group, {
        error,
        failures: failures + 1,
        most: Math.max(1, Math.floor(members / 2)),
        notBeforeMs: now() + pauseMs(failures, backoff),
        admitted: 0,
      });
    },
    relax(owner) {
      for (const [group, pressure] of groups) {
        if (group.startsWith(`${owner}\n`)) pressure.notBeforeMs = 0;
      }
    },
    unanswered(group, members) {
      const pressure = groups.get(group);
      if (pressure) pressure.admitted = Math.max(0, pressure.admitted - members);
    },
  };
}
