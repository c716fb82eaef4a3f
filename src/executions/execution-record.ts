/** Executions as they stand in Redis: hash fields to domain values and back. The only file that knows the field names. */

import type { LaunchHandle } from '../launcher/launcher.ts';
import { optional } from '../lib/optional.ts';
import type {
  Body,
  Claimed,
  ContentType,
  Execution,
  ExecutionEnd,
  ExecutionState,
  ExecutionUsage,
  LaunchIntent,
  Lease,
  LogRef,
  Message,
  Settlement,
  Wait,
} from './execution.ts';

/** A hash as Redis answers it, values as bytes. */
export type Fields = ReadonlyMap<string, Buffer>;

interface Meta {
  readonly contentType: ContentType;
  readonly environment: Readonly<Record<string, string>>;
  readonly executor: string;
  readonly jwtHeaderName?: string;
  readonly cause?: 'event' | 'schedule';
}

/** What a listing reads of each execution: all but bodies, handle and log. */
export const listedFields = [
  'state',
  'meta',
  'revision',
  'attempt',
  'worker',
  'launcher',
  'node',
  'received',
  'started',
  'finished',
  'end',
  'endDetail',
  'exitCode',
  'usage',
  'wait',
] as const;

export function readFields(answer: readonly unknown[]): Fields {
  const fields = new Map<string, Buffer>();
  for (let index = 0; index + 1 < answer.length; index += 2) {
    fields.set(String(answer[index]), answer[index + 1] as Buffer);
  }
  return fields;
}

export function writeMessage(message: Message): {
  readonly meta: string;
  readonly body: Uint8Array;
  readonly blob: string;
} {
  const meta: Meta = {
    contentType: message.contentType,
    environment: message.environment,
    executor: message.executor,
    ...optional('jwtHeaderName', message.jwtHeaderName),
    ...optional('cause', message.cause),
  };
  const inline = 'inline' in message.body;
  return {
    meta: JSON.stringify(meta),
    body: inline ? message.body.inline : new Uint8Array(),
    blob: inline ? '' : `${message.body.blob} ${message.body.bytes}`,
  };
}

export function readMessage(fields: Fields): Message {
  const meta = json<Meta>(fields, 'meta');
  if (!meta) throw new TypeError('An execution in Redis has no "meta": it was not written by post');
  const blob = text(fields, 'blob');
  return { ...meta, body: blob === undefined ? { inline: fields.get('body') ?? new Uint8Array() } : readBlob(blob) };
}

function readBlob(value: string): Body {
  const [blob = '', bytes = '0'] = value.split(' ');
  return { blob, bytes: Number(bytes) };
}

/** One byte says what follows, so that a result may be any bytes. */
export function writeBody(body: Body): Buffer {
  if ('inline' in body) return Buffer.concat([Buffer.from('i'), body.inline]);
  return Buffer.from(`b${body.blob} ${body.bytes}`);
}

export function readBody(value: Buffer): Body {
  if (value[0] === 0x69) return { inline: value.subarray(1) };
  return readBlob(value.subarray(1).toString());
}

export function writeWait(wait: Wait): string {
  return JSON.stringify({ ...wait, since: wait.since.getTime(), expected: wait.expected?.getTime() });
}

export function readWait(value: string): Wait {
  type Written = Omit<Wait, 'since' | 'expected'> & { readonly since: number; readonly expected?: number };
  const { since, expected, ...wait } = JSON.parse(value) as Written;
  return {
    ...wait,
    since: new Date(since),
    ...optional('expected', expected === undefined ? expected : new Date(expected)),
  };
}

/** Field and value, one after the other, as `settle.lua` takes them. */
export function writeSettlement(settlement: Settlement): readonly (string | Uint8Array)[] {
  const { log } = settlement;
  const pairs: [string, string | Uint8Array | undefined][] = [
    ['end', settlement.end],
    ['endDetail', settlement.detail],
    ['exitCode', settlement.exitCode?.toString()],
    ['started', settlement.startedAt?.getTime().toString()],
    ['finished', settlement.finishedAt.getTime().toString()],
    ['usage', settlement.usage && JSON.stringify(settlement.usage)],
    ['log', writeBody(log.body)],
    ['logTruncated', log.truncated ? '1' : undefined],
  ];
  return pairs.flatMap(([field, value]) => (value === undefined ? [] : [field, value]));
}

export function readExecution(tenant: string, actorId: string, id: string, fields: Fields): Execution {
  const meta = json<Meta>(fields, 'meta');
  const startedAt = date(fields, 'started');
  const finishedAt = date(fields, 'finished');
  const exitCode = number(fields, 'exitCode');
  const usage = json<ExecutionUsage>(fields, 'usage');
  const wait = text(fields, 'wait');
  return {
    tenant,
    actorId,
    id,
    state: (text(fields, 'state') ?? 'submitted') as ExecutionState,
    executor: meta?.executor ?? '',
    revision: number(fields, 'revision') ?? 1,
    attempt: number(fields, 'attempt') ?? 0,
    receivedAt: date(fields, 'received') ?? new Date(0),
    ...optional('workerId', text(fields, 'worker')),
    ...optional('launcher', text(fields, 'launcher')),
    ...optional('node', text(fields, 'node')),
    ...optional('startedAt', startedAt),
    ...optional('finishedAt', finishedAt),
    ...optional('end', text(fields, 'end') as ExecutionEnd | undefined),
    ...optional('endDetail', text(fields, 'endDetail')),
    ...optional('exitCode', exitCode),
    ...optional('usage', usage),
    ...optional('wait', wait === undefined ? undefined : readWait(wait)),
  };
}

export function readLog(fields: Fields): LogRef | undefined {
  const log = fields.get('log');
  if (!log) return undefined;
  return { body: readBody(log), truncated: text(fields, 'logTruncated') === '1' };
}

export function readClaimed(lease: Lease, fields: Fields): Claimed {
  const intent = readIntent(fields);
  return {
    lease,
    execution: readExecution(lease.tenant, lease.actorId, lease.executionId, fields),
    message: readMessage(fields),
    ...optional('intent', intent),
    ...optional('handle', json<LaunchHandle>(fields, 'handle')),
    startFailures: number(fields, 'startFailures') ?? 0,
    cancelRequested: fields.has('cancel'),
    results: number(fields, 'results') ?? 0,
  };
}

function readIntent(fields: Fields): LaunchIntent | undefined {
  const attempt = number(fields, 'attempt');
  if (attempt === undefined) return undefined;
  return {
    attempt,
    fence: number(fields, 'intentFence') ?? 0,
    launcher: text(fields, 'launcher') ?? '',
    notAfter: date(fields, 'notAfter') ?? new Date(0),
  };
}

function text(fields: Fields, name: string): string | undefined {
  return fields.get(name)?.toString();
}

function number(fields: Fields, name: string): number | undefined {
  const value = text(fields, name);
  return value === undefined || value === '' ? undefined : Number(value);
}

function date(fields: Fields, name: string): Date | undefined {
  const ms = number(fields, name);
  return ms === undefined ? undefined : new Date(ms);
}

/** Written by us and read by us: the caller names the shape. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the shape stands at the call, once
function json<T>(fields: Fields, name: string): T | undefined {
  const value = text(fields, name);
  return value === undefined ? undefined : (JSON.parse(value) as T);
}
