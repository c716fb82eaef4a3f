/** `squeue` where it has no JSON: one row for each job and element (squeue(1), "--format"). */

import { optional } from '../../../src/lib/optional.ts';
import { type Command, expectSuccess } from '../../host/command.ts';
import type { JobRecord } from '../job-record.ts';
import { elementsIn } from './job-json.ts';
import { type Row, readRows, separator, timeInText } from './text-rows.ts';

const columns = {
  id: '%i',
  ownId: '%A',
  user: '%u',
  state: '%T',
  reason: '%r',
  nodes: '%N',
  start: '%S',
  end: '%e',
  name: '%j',
};

export function squeueTextCommand(users: readonly string[]): Command<readonly JobRecord[]> {
  const succeed = expectSuccess('squeue');
  return {
    argv: [
      'squeue',
      '--noheader',
      '--array',
      '--states=all',
      `--user=${users.join(',')}`,
      `--format=${Object.values(columns).join(separator)}`,
    ],
    timeoutMs: 60_000,
    maxOutputBytes: 256 * 1024 * 1024,
    environment: { TZ: 'UTC' },
    parse: (result) => parseSqueueText(succeed(result)),
  };
}

export function parseSqueueText(text: string): readonly JobRecord[] {
  return readRows('squeue', Object.keys(columns), text).flatMap(readJob);
}

/** Exit codes and restarts are not among the columns: the first is the end record's business, the second stays unknown. */
function readJob(row: Row): readonly JobRecord[] {
  const [, array, element, waiting] = /^(\d{1,10})(?:_(?:(\d{1,7})|\[([\d,:%-]+)\]))?$/.exec(row('id')) ?? [];
  const ownId = Number(/^\d{1,10}$/.exec(row('ownId'))?.[0] ?? Number.NaN);
  if (array === undefined || Number.isNaN(ownId)) return [];
  const job: Omit<JobRecord, 'id'> = {
    ownId,
    name: row('name'),
    user: row('user'),
    states: row('state') === '' ? [] : [row('state')],
    reason: row('reason'),
    exitCode: 0,
    signal: 0,
    nodes: row('nodes'),
    ...optional('startedAt', timeInText(row('start'))),
    ...optional('endedAt', timeInText(row('end'))),
  };
  if (waiting !== undefined) return elementsIn(waiting).map((one) => ({ ...job, id: `${array}_${one}` }));
  return [{ ...job, id: element === undefined ? array : `${array}_${element}` }];
}
