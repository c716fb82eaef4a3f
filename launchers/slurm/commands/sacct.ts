/** `sacct`: what the accounting knows of jobs, also of those the scheduler has forgotten (sacct(1)). */

import { optional } from '../../../src/lib/optional.ts';
import { type Command, expectSuccess } from '../../host/command.ts';
import type { JobRecord } from '../job-record.ts';
import { exitIn, isJson, type Json, numberIn, readJobs, textIn, timeIn, wordsIn } from './job-json.ts';

/** @param since - given always: without it sacct looks no further back than midnight. */
export function sacctCommand(ids: readonly string[], since: Date): Command<readonly JobRecord[]> {
  const succeed = expectSuccess('sacct');
  return {
    argv: [
      'sacct',
      '--json',
      '--allocations',
      '--duplicates',
      `--starttime=${renderTime(since)}`,
      `--jobs=${ids.join(',')}`,
    ],
    timeoutMs: 60_000,
    maxOutputBytes: 256 * 1024 * 1024,
    environment: { TZ: 'UTC' },
    parse: (result) => parseSacct(succeed(result)),
  };
}

/** In the time zone the command is given. */
function renderTime(time: Date): string {
  return time.toISOString().slice(0, 19);
}

export function parseSacct(text: string): readonly JobRecord[] {
  return readJobs('sacct', text).flatMap(readJob);
}

function readJob(job: Json): readonly JobRecord[] {
  const ownId = numberIn(job['job_id']);
  if (ownId === undefined) return [];
  const array = isJson(job['array']) ? job['array'] : {};
  const arrayId = numberIn(array['job_id']) ?? 0;
  const state = isJson(job['state']) ? job['state'] : {};
  const time = isJson(job['time']) ? job['time'] : {};
  return [
    {
      id: arrayId === 0 ? String(ownId) : `${arrayId}_${numberIn(array['task_id']) ?? 0}`,
      ownId,
      name: textIn(job['name']),
      user: textIn(job['user']),
      states: wordsIn(state['current']),
      reason: textIn(state['reason']),
      restarts: numberIn(job['restart_cnt']) ?? 0,
      ...exitIn(job['exit_code']),
      nodes: textIn(job['nodes']),
      ...optional('startedAt', timeIn(time['start'])),
      ...optional('endedAt', timeIn(time['end'])),
    },
  ];
}
