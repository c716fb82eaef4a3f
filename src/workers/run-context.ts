/** What the path of an execution is made of and how it is set; the same for all executions of a process. */

import type { ActorStore } from '../actors/actor-store.ts';
import type { ConfigStore } from '../actors/config-store.ts';
import type { ResourcePolicy } from '../actors/resource-policy.ts';
import type { RunAsPlanner } from '../auth/run-as.ts';
import type { FinalState } from '../executions/execution.ts';
import type { ValueText } from '../executions/value-text.ts';
import type { Clock } from '../lib/clock.ts';
import type { Mailbox } from '../mailbox/mailbox.ts';
import type { Logger } from '../observability/logger.ts';
import type { LateBooks } from './late-books.ts';
import type { SiteLimits } from './launch-spec.ts';
import type { LauncherGate } from './launcher-gate.ts';
import type { LeaseKeeper } from './lease-keeper.ts';
import type { OutputCollector } from './output-collector.ts';

/** Named points at which tests kill or freeze the process. */
export type CheckPoint =
  | 'before-intent'
  | 'after-intent'
  | 'after-launch'
  | 'after-handle'
  | 'before-collect'
  | 'before-settle'
  | 'after-settle'
  | 'after-cleanup';

export interface RunSettings {
  readonly limits: SiteLimits;
  /** What each queue gives its actors, and allows them. */
  readonly queues: Readonly<Record<string, ResourcePolicy>>;
  readonly notAfterMs: number;
  /** Failed starts after which the execution ends as launch-failed. */
  readonly startFailures: number;
  /** Base URL at which containers of a tenant reach the API. */
  readonly apiServerOf: (tenant: string) => string;
  /** How values that are no text are written into variables. */
  readonly valueText: ValueText;
  /** In which state an execution ends whose program failed. */
  readonly failedState: FinalState;
}

export interface RunContext {
  readonly mailbox: Mailbox;
  readonly actors: Pick<ActorStore, 'stateJson' | 'markError'>;
  readonly configs: Pick<ConfigStore, 'valuesFor'>;
  readonly leases: LeaseKeeper;
  readonly gate: LauncherGate;
  readonly output: OutputCollector;
  readonly books: Pick<LateBooks, 'add'>;
  readonly settings: RunSettings;
  /** Asked before each start: who may no longer run anything starts nothing, and a new group is in effect. */
  readonly runAs: RunAsPlanner;
  readonly clock: Clock;
  readonly log: Logger;
  readonly checkpoint: (point: CheckPoint) => Promise<void>;
  /** Aborts when this process leaves at once; what runs is found again by the next one. */
  readonly leaving: AbortSignal;
  /** A launcher has taken an execution, after so long. */
  readonly onLaunched?: (launcher: string, tookMs: number) => void;
}
