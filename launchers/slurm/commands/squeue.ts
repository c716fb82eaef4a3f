/**
 * `squeue`: what waits, runs, or ended a short while ago (squeue(1), "--Format"; MinJobAge of slurm.conf). In columns, one
 * row for each job and element: its JSON tells some thirty thousand bytes of each job, at every look.
 */

import { LauncherError } from '../../../src/errors.ts';
import { optional } from '../../../src/lib/optional.ts';
import { type Command, expectSuccess } from '../../host/command.ts';
import type { JobRecord } from '../job-record.ts';
import { drawSeparator, elementsIn, type Row, readRows, timeInText } from './text-rows.ts';

/** The name last, as somebody typed it. With a text behind it, no column is cut. */
const columns = [
  'JobArrayID',
  'JobID',
  'UserName',
  'State',
  'Reason',
  'NodeList',
  'StartTime',
  'EndTime',
  'RestartCnt',
  'exit_code',
  'Name',
];

/** All jobs of these users. One question, however many jobs there are. */
export function squeueCommand(users: readonly string[]): Command<readonly JobRecord[]> {
  const succeed = expectSuccess('squeue');
  const separator = drawSeparator();
  return {
    argv: [
      'squeue',
      // It waits by itself where the controller limits how often it may be asked, and says so only when it may talk.
      '--verbose',
      '--noheader',
      // Without it jobs in partitions that are hidden, or not for whoever asks, are left out, as if there were none.
      '--all',
      '--array',
      '--states=all',
      `--user=${users.join(',')}`,
      `--Format=${columns.map((column) => `${column}:${separator}`).join(',')}`,
    ],
    timeoutMs: 60_000,
    maxOutputBytes: 256 * 1024 * 1024,
    environment: { TZ: 'UTC' },
    parse: (result) => parseSqueue(succeed(result), separator),
  };
}

export function parseSqueue(text: string, separator: string): readonly JobRecord[] {
  // With `--verbose` it shows its options first, and when it was asked: without that, no jobs are no answer. What says the
  // same further down is in the name of a job.
  const head = /^last_update_time=.*\n?/m.exec(text);
  const rows = head && text.slice(head.index + head[0].length);
  if (rows !== null) return readRows('squeue', { columns, separator }, rows).flatMap(readJob);
  const message = `squeue answered no list of jobs: ${JSON.stringify(text.slice(0, 200))}`;
  throw new LauncherError('host.command_failed', message);
}

function readJob(row: Row): readonly JobRecord[] {
  const [, array, element, waiting] = /^(\d{1,10})(?:_(?:(\d{1,7})|\[([\d,:%-]+)\]))?$/.exec(row('JobArrayID')) ?? [];
  const ownId = numberIn(row('JobID'));
  if (array === undefined || ownId === undefined) return [];
  const job: Omit<JobRecord, 'id'> = {
    ownId,
    name: row('Name'),
    user: row('UserName'),
    states: row('State') === '' ? [] : [row('State')],
    reason: row('Reason'),
    ...exitIn(row('exit_code')),
    nodes: row('NodeList'),
    ...optional('restarts', numberIn(row('RestartCnt'))),
    ...optional('startedAt', timeInText(row('StartTime'))),
    ...optional('endedAt', timeInText(row('EndTime'))),
  };
  if (waiting !== undefined) return elementsIn(waiting).map((one) => ({ ...job, id: `${array}_${one}` }));
  return [{ ...job, id: element === undefined ? array : `${array}_${element}` }];
}

/** "3:0"; 22.05 has the status as wait(2) gives it. */
function exitIn(text: string): Pick<JobRecord, 'exitCode' | 'signal'> {
  const status = numberIn(text);
  if (status !== undefined) return { exitCode: (status >> 8) & 0xff, signal: status & 0x7f };
  const [exitCode = 0, signal = 0] = text.split(':').map((number) => numberIn(number) ?? 0);
  return { exitCode, signal };
}

function numberIn(text: string): number | undefined {
  return /^\d{1,10}$/.test(text) ? Number(text) : undefined;
}
