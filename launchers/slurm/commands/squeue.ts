/** `squeue`: what waits, runs, or ended a short while ago (squeue(1); MinJobAge of slurm.conf). */

import { optional } from '../../../src/lib/optional.ts';
import { type Command, expectSuccess } from '../../host/command.ts';
import type { JobRecord } from '../job-record.ts';
import { elementsIn, exitIn, type Json, numberIn, readJobs, textIn, timeIn, wordsIn } from './job-json.ts';

/** All jobs of these users. One question, however many jobs there are. */
export function squeueCommand(users: readonly string[]): Command<readonly JobRecord[]> {
  const succeed = expectSuccess('squeue');
  return {
    // It waits by itself where the controller limits how often it may be asked, and says so only when it may talk.
    argv: ['squeue', '--verbose', '--json', '--states=all', `--user=${users.join(',')}`],
    timeoutMs: 60_000,
    maxOutputBytes: 256 * 1024 * 1024,
    parse: (result) => parseSqueue(afterOptions(succeed(result))),
  };
}

/** With `--verbose` it shows its options first, and when it was asked (tried with 24.11). */
export function afterOptions(text: string): string {
  const start = text.search(/^\{/m);
  return start < 0 ? text : text.slice(start);
}

export function parseSqueue(text: string): readonly JobRecord[] {
  return readJobs('squeue', text).flatMap(readJob);
}

function readJob(job: Json): readonly JobRecord[] {
  const ownId = numberIn(job['job_id']);
  if (ownId === undefined) return [];
  const array = numberIn(job['array_job_id']) ?? 0;
  const element = numberIn(job['array_task_id']);
  const record: Omit<JobRecord, 'id'> = {
    ownId,
    name: textIn(job['name']),
    user: textIn(job['user_name']),
    states: wordsIn(job['job_state']),
    reason: textIn(job['state_reason']),
    ...exitIn(job['exit_code']),
    nodes: textIn(job['nodes']),
    ...optional('restarts', numberIn(job['restart_cnt'])),
    ...optional('startedAt', timeIn(job['start_time'])),
    ...optional('endedAt', timeIn(job['end_time'])),
  };
  if (array === 0) return [{ ...record, id: String(ownId) }];
  // Elements that wait are one record together.
  const waiting = textIn(job['array_task_string']);
  if (waiting !== '') return elementsIn(waiting).map((one) => ({ ...record, id: `${array}_${one}` }));
  return [{ ...record, id: `${array}_${element ?? 0}` }];
}
