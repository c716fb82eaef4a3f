import type { EndRecord } from '../../src/launcher/end-record.ts';

export interface MockRecord {
  readonly owner: string;
  readonly reason: EndRecord['reason'];
  readonly exitCode: number;
  readonly startedMs: number;
  readonly finishedMs: number;
  readonly logBytes: number;
  readonly logTotalBytes: number;
  readonly results: number;
  readonly droppedResults: number;
  readonly detail: string;
}

/** What a mock container is said to have used: something, so that accounts of it can be looked at. */
const usage = { 'cpu-ms': 1, 'max-rss-bytes': 1_048_576, 'read-bytes': 0, 'written-bytes': 0 };

/** The end record as the helper writes it; format: `native/README.md`. */
export function renderMockRecord(record: MockRecord): string {
  const fields = {
    version: 1,
    owner: record.owner,
    reason: record.reason,
    'exit-code': record.exitCode,
    signal: Math.max(0, record.exitCode - 128),
    'started-ms': record.startedMs,
    'finished-ms': record.finishedMs,
    ...usage,
    'log-bytes': record.logBytes,
    'log-total-bytes': record.logTotalBytes,
    results: record.results,
    'dropped-results': record.droppedResults,
    detail: record.detail,
  };
  return Object.entries(fields)
    .map(([key, value]) => `${key} ${value}\n`)
    .join('');
}
