/**
 * What the service answers, as the client's verbs use it. Answers come in either letter case of the contract, and an
 * attribute without a value is null or left out; here both are the same.
 */

import { optional } from '../lib/optional.ts';

export type Json = Readonly<Record<string, unknown>>;

export function isRecord(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export interface ActorAnswer {
  readonly id: string;
  readonly name?: string;
  readonly image?: string;
  readonly status?: string;
  readonly statusMessage?: string;
  readonly stateless: boolean;
}

export interface WaitAnswer {
  readonly cause: string;
  readonly next?: string;
}

export interface ExecutionAnswer {
  /** As the service sent it. */
  readonly source: unknown;
  readonly id: string;
  readonly status: string;
  /** Why it ended. */
  readonly end?: string;
  readonly endDetail?: string;
  readonly exitCode?: number;
  /** Machine it ran on. */
  readonly node?: string;
  readonly receivedAt?: Date;
  readonly startedAt?: Date;
  readonly finishedAt?: Date;
  readonly wait?: WaitAnswer;
  readonly cpuMs?: number;
  readonly maxMemoryBytes?: number;
  readonly runtimeMs?: number;
}

/** The attribute named in snake form, in whichever form it came. */
export function attribute(record: Json, name: string): unknown {
  const camel = name.replace(/(?<=.)_([a-z])/g, (_, letter: string) => letter.toUpperCase());
  return record[name] ?? record[camel] ?? undefined;
}

export function readText(record: Json, name: string): string | undefined {
  const value = attribute(record, name);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

export function parseActor(value: unknown): ActorAnswer {
  const record = isRecord(value) ? value : {};
  return {
    id: readText(record, 'id') ?? '',
    ...optional('name', readText(record, 'name')),
    ...optional('image', readText(record, 'image')),
    ...optional('status', readText(record, 'status')),
    ...optional('statusMessage', readText(record, 'status_message')?.trim() || undefined),
    stateless: attribute(record, 'stateless') !== false,
  };
}

export function parseExecution(value: unknown): ExecutionAnswer {
  const record = isRecord(value) ? value : {};
  const wait = attribute(record, 'wait');
  const usage = attribute(record, 'usage');
  return {
    source: value,
    id: readText(record, 'id') ?? '',
    status: readText(record, 'status') ?? 'UNKNOWN',
    ...optional('end', readText(record, 'end')),
    ...optional('endDetail', readText(record, 'end_detail')),
    ...optional('exitCode', readNumber(record, 'exit_code')),
    ...optional('node', readText(record, 'node')),
    ...optional('receivedAt', readTime(record, 'message_received_time')),
    ...optional('startedAt', readTime(record, 'start_time')),
    ...optional('finishedAt', readTime(record, 'finish_time')),
    ...optional('wait', isRecord(wait) ? parseWait(wait) : undefined),
    ...(isRecord(usage) ? parseUsage(usage) : {}),
  };
}

export function parseExecutions(value: unknown): readonly ExecutionAnswer[] {
  const list = isRecord(value) ? attribute(value, 'executions') : value;
  return Array.isArray(list) ? list.map(parseExecution) : [];
}

/** `COMPLETE` and `ERROR` are never left again. */
export function hasEnded({ status }: Pick<ExecutionAnswer, 'status'>): boolean {
  return status === 'COMPLETE' || status === 'ERROR';
}

function parseWait(record: Json): WaitAnswer | undefined {
  const cause = readText(record, 'cause');
  return cause === undefined ? undefined : { cause, ...optional('next', readText(record, 'next')) };
}

function parseUsage(record: Json): Pick<ExecutionAnswer, 'cpuMs' | 'maxMemoryBytes' | 'runtimeMs'> {
  return {
    ...optional('cpuMs', readNumber(record, 'cpu_ms')),
    ...optional('maxMemoryBytes', readNumber(record, 'max_memory_bytes')),
    ...optional('runtimeMs', readNumber(record, 'runtime_ms')),
  };
}

function readNumber(record: Json, name: string): number | undefined {
  const value = attribute(record, name);
  return typeof value === 'number' ? value : undefined;
}

function readTime(record: Json, name: string): Date | undefined {
  const time = new Date(readText(record, name) ?? Number.NaN);
  return Number.isNaN(time.getTime()) ? undefined : time;
}
