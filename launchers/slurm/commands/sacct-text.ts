/** `sacct` where it has no JSON: a row for each job, and one for each of its steps after it (sacct(1), "--format"). */

import { optional } from '../../../src/lib/optional.ts';
import { type Command, expectSuccess } from '../../host/command.ts';
import type { JobRecord } from '../job-record.ts';
import { type AccountingQuestion, sacctArguments } from './sacct.ts';
import { drawSeparator, durationInText, type Row, readRows, sizeInText, timeInText } from './text-rows.ts';

const columns = [
  'JobID',
  'JobIDRaw',
  'User',
  'UID',
  'State',
  'ExitCode',
  'NodeList',
  'Start',
  'End',
  'ElapsedRaw',
  'TotalCPU',
  'MaxRSS',
  'ConsumedEnergyRaw',
  'Reason',
  'JobName',
];

export function sacctTextCommand(question: AccountingQuestion): Command<readonly JobRecord[]> {
  const succeed = expectSuccess('sacct');
  const separator = drawSeparator();
  return {
    argv: [
      'sacct',
      '--noheader',
      '--parsable2',
      '--noconvert',
      `--delimiter=${separator}`,
      `--format=${columns.join(',')}`,
      ...sacctArguments(question),
    ],
    timeoutMs: 60_000,
    maxOutputBytes: 256 * 1024 * 1024,
    environment: { TZ: 'UTC' },
    parse: (result) => parseSacctText(succeed(result), separator),
  };
}

export function parseSacctText(text: string, separator: string): readonly JobRecord[] {
  const groups: Row[][] = [];
  for (const row of readRows('sacct', { columns, separator }, text)) {
    if (!row('JobID').includes('.')) groups.push([row]);
    else groups.at(-1)?.push(row);
  }
  return groups.flatMap(readJob);
}

/** It is told as a number. */
function nameOf(uid: string | undefined, job: Row): string | undefined {
  if (uid === '0') return 'root';
  return uid === job('UID') ? job('User') : uid;
}

function readJob([job, ...steps]: readonly Row[]): readonly JobRecord[] {
  const id = /^\d{1,10}(?:_\d{1,7})?$/.exec(job?.('JobID') ?? '')?.[0];
  if (!job || id === undefined) return [];
  const [exitCode = 0, signal = 0] = job('ExitCode')
    .split(':')
    .map((number) => Number(number) || 0);
  const [, state = '', cancelledBy] = /^(\S*)(?: by (\S+))?/.exec(job('State')) ?? [];
  const sizes = steps.map((step) => sizeInText(step('MaxRSS')) ?? 0);
  const energy = [job, ...steps].map((row) => sizeInText(row('ConsumedEnergyRaw')) ?? 0);
  const own = Number(/^\d{1,10}$/.exec(job('JobIDRaw'))?.[0] ?? Number.NaN);
  return [
    {
      id,
      ownId: Number.isNaN(own) ? Number(id.split('_')[0]) : own,
      name: job('JobName'),
      user: job('User'),
      states: state === '' ? [] : [state],
      reason: job('Reason'),
      exitCode,
      signal,
      nodes: job('NodeList') === 'None assigned' ? '' : job('NodeList'),
      ...optional('startedAt', timeInText(job('Start'))),
      ...optional('endedAt', timeInText(job('End'))),
      ...optional('cancelledBy', nameOf(cancelledBy, job)),
      accounting: {
        jobId: id,
        elapsedMs: (Number(/^\d{1,12}$/.exec(job('ElapsedRaw'))?.[0]) || 0) * 1_000,
        cpuMs: durationInText(job('TotalCPU')),
        nodes: job('NodeList') === 'None assigned' ? '' : job('NodeList'),
        ...optional('maxMemoryBytes', Math.max(0, ...sizes) || undefined),
        ...optional('energyJoules', Math.max(0, ...energy) || undefined),
      },
    },
  ];
}
