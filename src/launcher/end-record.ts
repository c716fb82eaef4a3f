/** The end record a marker's owner writes: lines of `key value`, see `native/README.md`. */

import type { ExecutionOutput, Usage } from './launcher.ts';

const reasons = ['exited', 'time-limit', 'signalled', 'exec-failed'] as const;

export interface EndRecord {
  /** As in the start marker. */
  readonly owner: string;
  readonly reason: (typeof reasons)[number];
  /** 128 + signal for a signal. */
  readonly exitCode: number;
  readonly signal: number;
  readonly startedAt: Date;
  readonly finishedAt: Date;
  readonly cpuMs: number;
  readonly maxMemoryBytes: number;
  readonly readBytes: number;
  readonly writtenBytes: number;
  /** Bytes of log that were kept, of those the program wrote. */
  readonly logBytes: number;
  readonly logTotalBytes: number;
  readonly results: number;
  readonly droppedResults: number;
  readonly detail: string;
}

/** @returns nothing for a text that is no whole record: it lies where the user's program can write. */
export function parseEndRecord(text: string): EndRecord | undefined {
  const fields = new Map(text.split('\n').map((line) => splitOnce(line)));
  const number = (key: string) => Number(/^\d{1,15}$/.exec(fields.get(key) ?? '')?.[0] ?? Number.NaN);
  const reason = reasons.find((known) => known === fields.get('reason'));
  const owner = fields.get('owner');
  if (fields.get('version') !== '1' || reason === undefined || !owner) return undefined;
  const record = {
    owner,
    reason,
    exitCode: number('exit-code'),
    signal: number('signal'),
    startedAt: new Date(number('started-ms')),
    finishedAt: new Date(number('finished-ms')),
    cpuMs: number('cpu-ms'),
    maxMemoryBytes: number('max-rss-bytes'),
    readBytes: number('read-bytes'),
    writtenBytes: number('written-bytes'),
    logBytes: number('log-bytes'),
    logTotalBytes: number('log-total-bytes'),
    results: number('results'),
    droppedResults: number('dropped-results'),
    detail: fields.get('detail') ?? '',
  };
  const isWhole = Object.values(record).every((value) => typeof value === 'string' || Number.isFinite(Number(value)));
  return isWhole && record.exitCode <= 255 ? record : undefined;
}

/** What it says of an attempt's output, beside the files. */
export function toldByRecord(
  record: EndRecord,
): Pick<ExecutionOutput, 'logTruncated' | 'droppedResults'> & { readonly usage: Usage } {
  const { logTotalBytes, logBytes, droppedResults } = record;
  return { logTruncated: logTotalBytes > logBytes, droppedResults, usage: usageOf(record) };
}

function usageOf(record: EndRecord): Usage {
  const { startedAt, finishedAt, cpuMs, maxMemoryBytes, readBytes, writtenBytes } = record;
  return { startedAt, finishedAt, cpuMs, maxMemoryBytes, readBytes, writtenBytes };
}

function splitOnce(line: string): [string, string] {
  const space = line.indexOf(' ');
  return space < 0 ? [line, ''] : [line.slice(0, space), line.slice(space + 1)];
}
