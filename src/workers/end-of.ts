/** What a launcher's end means for the execution; pure. */

import type { ExecutionEnd } from '../executions/execution.ts';
import type { LaunchEnd } from '../launcher/launcher.ts';
import { optional } from '../lib/optional.ts';

export interface EndOfExecution {
  readonly end: ExecutionEnd;
  readonly exitCode?: number;
  readonly detail?: string;
  readonly finishedAt: Date;
}

const kills = {
  'time-limit': 'time-limit',
  'out-of-memory': 'out-of-memory',
  'node-failure': 'node-failure',
  preemption: 'preempted',
} as const satisfies Record<string, ExecutionEnd>;

/** @returns `again` when nothing ran and nothing can run of this attempt: the next one is safe without a policy. */
export function endOf(end: LaunchEnd): EndOfExecution | 'again' {
  const finishedAt = end.at;
  switch (end.kind) {
    case 'exited':
      return { end: 'exited', exitCode: end.exitCode, finishedAt };
    case 'cancelled':
      return { end: 'cancelled', finishedAt, ...optional('exitCode', end.exitCode), ...optional('detail', end.detail) };
    case 'killed':
      return { end: kills[end.by], detail: end.detail, finishedAt, ...optional('exitCode', end.exitCode) };
    case 'not-started':
      return { end: 'launch-failed', detail: end.detail, exitCode: end.exitCode, finishedAt };
    case 'lost':
      return end.started ? { end: 'lost', detail: end.detail, finishedAt } : 'again';
  }
}
