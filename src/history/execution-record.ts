/** Executions and bodies as the histories keep them. Both keep the same fields; only dates differ in their spelling. */

import type { Body, Execution, LogRef, Wait } from '../executions/execution.ts';
import { optional } from '../lib/optional.ts';

/** An execution read back: MongoDB gives dates, JSON in SQLite gives ISO text. */
export type ExecutionRecord = Omit<Execution, 'receivedAt' | 'startedAt' | 'finishedAt' | 'wait'> & {
  readonly receivedAt: Date | string;
  readonly startedAt?: Date | string;
  readonly finishedAt?: Date | string;
  readonly wait?: Omit<Wait, 'since' | 'expected'> & {
    readonly since: Date | string;
    readonly expected?: Date | string;
  };
};

export function executionOf(record: ExecutionRecord): Execution {
  const { receivedAt, startedAt, finishedAt, wait, ...rest } = record;
  return {
    ...rest,
    receivedAt: new Date(receivedAt),
    ...optional('startedAt', dateOf(startedAt)),
    ...optional('finishedAt', dateOf(finishedAt)),
    ...optional('wait', wait && waitOf(wait)),
  };
}

function waitOf({ since, expected, ...rest }: NonNullable<ExecutionRecord['wait']>): Wait {
  return { ...rest, since: new Date(since), ...optional('expected', dateOf(expected)) };
}

function dateOf(time: Date | string | undefined): Date | undefined {
  return time === undefined ? undefined : new Date(time);
}

/** A body with a place for either spelling: the bytes, or the name of a blob and its size. */
export interface BodyRecord {
  readonly inline: Uint8Array | null;
  readonly blob: string | null;
  readonly bytes: number;
}

export function bodyRecordOf(body: Body): BodyRecord {
  if ('inline' in body) return { inline: body.inline, blob: null, bytes: body.inline.byteLength };
  return { inline: null, blob: body.blob, bytes: body.bytes };
}

export function bodyOf({ inline, blob, bytes }: BodyRecord): Body {
  if (blob !== null) return { blob, bytes };
  return { inline: asBytes(inline ?? new Uint8Array()) };
}

/** What an expired log reads as, whatever it held (contract §9.7). */
export function expiredLog(): LogRef {
  return { body: { inline: new Uint8Array() }, truncated: false };
}

/** A plain `Uint8Array` over the same memory, also where a driver gives its own kind. */
function asBytes(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
