/**
 * One run of an actor for one message.
 *
 * State, only forward:
 *
 * - `submitted`: the message is in the mailbox, or held by a worker that has not seen its program start. Got into by
 *   `post`. A message whose lease runs out before an intent was written goes back to its old place and stays here.
 * - `running`: the launcher has seen the program start.
 * - `complete`: it started and has ended, whatever its exit code (also cancelled, also a limit).
 * - `error`: it never started and never will, or it was lost; or its program failed, where the service is told to say so.
 *
 * `complete` and `error` are final: no script leaves them, late news is refused. Beside the state stands how far a lease
 * got (`intent`, `handle`), which decides how another worker goes on.
 */

import type { Accounting, LaunchHandle } from '../launcher/launcher.ts';
import { decodeId } from '../lib/ids.ts';

export type ExecutionState = 'submitted' | 'running' | 'complete' | 'error';

/** Why an execution ended. */
export type ExecutionEnd =
  | 'exited'
  | 'cancelled'
  | 'time-limit'
  | 'out-of-memory'
  | 'node-failure'
  | 'preempted'
  | 'lost'
  | 'launch-failed';

const order: Readonly<Record<ExecutionState, number>> = { submitted: 0, running: 1, complete: 2, error: 2 };

export function isFinal(state: ExecutionState): boolean {
  return order[state] === 2;
}

export type FinalState = Extract<ExecutionState, 'complete' | 'error'>;

/** The oldest first; of those that came within a millisecond, as those of a batch do, the one whose id is older. */
export function byArrival(
  one: Pick<Execution, 'id' | 'receivedAt'>,
  other: Pick<Execution, 'id' | 'receivedAt'>,
): number {
  const laterMs = one.receivedAt.getTime() - other.receivedAt.getTime();
  if (laterMs !== 0) return laterMs;
  return (decodeId(one.id) ?? 0n) < (decodeId(other.id) ?? 0n) ? -1 : 1;
}

/** The state an end leads to: `error` for what was lost or never could start, `failedState` for a program that failed. */
export function stateOfEnd(ended: Pick<Settlement, 'end' | 'exitCode'>, failedState: FinalState): FinalState {
  if (ended.end === 'lost' || ended.end === 'launch-failed') return 'error';
  return hasFailed(ended) ? failedState : 'complete';
}

/** Without an exit code it was killed with its node, or cancelled before it began, which is no failure. */
function hasFailed({ end, exitCode }: Pick<Settlement, 'end' | 'exitCode'>): boolean {
  return exitCode === undefined ? end !== 'cancelled' : exitCode !== 0;
}

export type ContentType = 'str' | 'application/json' | 'application/octet-stream';

/** What was sent. `body` is kept inline below `blobs.inline_bytes`, else as a file in the blob directory. */
export interface Message {
  readonly contentType: ContentType;
  readonly body: Body;
  /** Query parameters of the request, which become environment variables. */
  readonly environment: Readonly<Record<string, string>>;
  /** Who sent it. */
  readonly executor: string;
  /** Title-cased name of the header that carried the JWT, if one did. */
  readonly jwtHeaderName?: string;
  /** What made it, where nobody sent it: its program finds less of who asked (contract §9.2). */
  readonly cause?: 'event' | 'schedule';
}

/** Bytes, inline or as a file of the blob store. */
export type Body = { readonly inline: Uint8Array } | { readonly blob: string; readonly bytes: number };

/** Written before a launch, so that whoever takes over knows what may have been started. */
export interface LaunchIntent {
  readonly fence: number;
  readonly attempt: number;
  readonly launcher: string;
  readonly notAfter: Date;
}

/** Why something waits, in words for its user: cause, since when, who can change it, what comes next. */
export interface Wait {
  readonly cause: string;
  readonly since: Date;
  readonly owner: 'user' | 'operator' | 'registry' | 'scheduler' | 'network' | 'service';
  readonly next: string;
  /** When it is expected to end, where somebody has planned it. */
  readonly expected?: Date;
}

export interface ExecutionUsage {
  readonly cpuMs: number;
  readonly maxMemoryBytes: number;
  readonly ioBytes: number;
  readonly runtimeMs: number;
}

/** An execution as any reader sees it, alive or ended. */
export interface Execution {
  readonly tenant: string;
  readonly actorId: string;
  readonly id: string;
  readonly state: ExecutionState;
  readonly executor: string;
  readonly revision: number;
  readonly attempt: number;
  readonly workerId?: string;
  readonly launcher?: string;
  readonly node?: string;
  readonly receivedAt: Date;
  readonly startedAt?: Date;
  readonly finishedAt?: Date;
  readonly end?: ExecutionEnd;
  /** One sentence on the end, where the kind alone does not say all. */
  readonly endDetail?: string;
  readonly exitCode?: number;
  readonly usage?: ExecutionUsage;
  /** What the scheduler that ran it has on its books; there some seconds after the end. */
  readonly accounting?: Accounting;
  readonly wait?: Wait;
}

/** How an execution ended, as a worker settles it. */
export interface Settlement {
  readonly state: FinalState;
  readonly end: ExecutionEnd;
  readonly detail?: string;
  readonly exitCode?: number;
  readonly startedAt?: Date;
  readonly finishedAt: Date;
  readonly usage?: ExecutionUsage;
  readonly log: LogRef;
}

/** The log as it was kept: `truncated` when the program wrote more than the limit. */
export interface LogRef {
  readonly body: Body;
  readonly truncated: boolean;
}

/** What a worker holds between `claim` and `settle`. */
export interface Lease {
  readonly tenant: string;
  readonly actorId: string;
  readonly executionId: string;
  readonly fence: number;
  readonly workerId: string;
  readonly leaseMs: number;
}

/** A leased execution with all that is needed to start it or to go on with it. */
export interface Claimed {
  readonly lease: Lease;
  readonly execution: Execution;
  readonly message: Message;
  readonly intent?: LaunchIntent;
  readonly handle?: LaunchHandle;
  /** Starts that failed with the marker still free. */
  readonly startFailures: number;
  readonly cancelRequested: boolean;
  /** Results handed on to Redis so far. */
  readonly results: number;
}
