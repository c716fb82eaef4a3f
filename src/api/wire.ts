/** How the domain is spelled on the wire: letter case, times, status words, the envelope (contract §§1.3, 2, 6, 8.1). */

import type { ActorStatus } from '../actors/actor.ts';
import type { ExecutionState } from '../executions/execution.ts';
import type { WorkerStatus } from '../workers/worker-store.ts';

export type Spelling = 'snake' | 'camel';

/** Attributes in snake form, as `spell` takes them. */
export type Attributes = Readonly<Record<string, unknown>>;

/** The contract's name of a thing in the other case: `max_workers` → `maxWorkers`; `_links` stays. */
export function camelName(snake: string): string {
  return snake.replaceAll(/(?<=.)_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** Top-level names in the configured case; what is inside them keeps its own. In camel form nulls are left out. */
export function spell(attributes: Attributes, spelling: Spelling): Attributes {
  if (spelling === 'snake') return attributes;
  const entries = Object.entries(attributes).filter(([, value]) => value !== null);
  return Object.fromEntries(entries.map(([name, value]) => [camelName(name), value]));
}

/** UTC in milliseconds: `2026-05-01T14:45:41.591Z`. */
export function renderTime(time: Date): string {
  return time.toISOString();
}

export function renderOptionalTime(time: Date | undefined): string | null {
  return time ? renderTime(time) : null;
}

/** What stands where there is no time, of what the original shows no null for. */
export type AbsentTimes = 'None' | 'null';

export function renderLastTime(time: Date | undefined, absent: AbsentTimes): string | null {
  if (time) return renderTime(time);
  return absent === 'None' ? 'None' : null;
}

export const actorStatusWords: Readonly<Record<ActorStatus, string>> = {
  submitted: 'SUBMITTED',
  ready: 'READY',
  error: 'ERROR',
  shutting_down: 'SHUTTING_DOWN',
};

export const executionStatusWords: Readonly<Record<ExecutionState, string>> = {
  submitted: 'SUBMITTED',
  running: 'RUNNING',
  complete: 'COMPLETE',
  error: 'ERROR',
};

export const workerStatusWords: Readonly<Record<WorkerStatus, string>> = {
  ready: 'READY',
  busy: 'BUSY',
  shutdown_requested: 'SHUTDOWN_REQUESTED',
  shutting_down: 'SHUTTING_DOWN',
};

export interface Envelope {
  readonly message: string;
  readonly result: unknown;
  readonly status: 'success' | 'error';
  readonly version: string;
}

/** Shown by the few answers that the contract gives no message of their own. */
export const defaultMessage = 'The request was successful';

export function errorEnvelope(message: string, version: string): Envelope {
  return { message, result: null, status: 'error', version };
}
