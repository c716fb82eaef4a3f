/** `sacct`: what the accounting knows of jobs, also of those the scheduler has forgotten (sacct(1)). */

import type { Accounting } from '../../../src/launcher/launcher.ts';
import { optional } from '../../../src/lib/optional.ts';
import { type Command, expectSuccess } from '../../host/command.ts';
import type { JobRecord } from '../job-record.ts';
import { exitIn, isJson, type Json, numberIn, readJobs, textIn, timeIn, wordsIn } from './job-json.ts';

export interface AccountingQuestion {
  readonly ids: readonly string[];
  /** Given always: without it sacct looks no further back than midnight. */
  readonly since: Date;
  /** What its steps used is wanted too: memory is counted by step. */
  readonly steps: boolean;
}

export function sacctCommand(question: AccountingQuestion): Command<readonly JobRecord[]> {
  const succeed = expectSuccess('sacct');
  return {
    argv: ['sacct', '--json', ...sacctArguments(question)],
    timeoutMs: 60_000,
    maxOutputBytes: 256 * 1024 * 1024,
    environment: { TZ: 'UTC' },
    parse: (result) => parseSacct(succeed(result)),
  };
}

export function sacctArguments({ ids, since, steps }: AccountingQuestion): readonly string[] {
  const only = steps ? [] : ['--allocations'];
  return [...only, '--duplicates', `--starttime=${renderTime(since)}`, `--jobs=${ids.join(',')}`];
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
  const element = numberIn(array['task_id']);
  // Those that still wait together have one record, which is of none of them.
  if (arrayId !== 0 && element === undefined) return [];
  const state = isJson(job['state']) ? job['state'] : {};
  const time = isJson(job['time']) ? job['time'] : {};
  const id = arrayId === 0 ? String(ownId) : `${arrayId}_${element}`;
  const nodes = nodesIn(job['nodes']);
  return [
    {
      id,
      ownId,
      name: textIn(job['name']),
      user: textIn(job['user']),
      states: wordsIn(state['current']),
      reason: textIn(state['reason']),
      ...exitIn(job['exit_code']),
      nodes,
      ...optional('restarts', numberIn(job['restart_cnt'])),
      ...optional('startedAt', timeIn(time['start'])),
      ...optional('endedAt', timeIn(time['end'])),
      ...optional('cancelledBy', textIn(job['kill_request_user']) || undefined),
      accounting: accountingIn(id, nodes, job, time),
    },
  ];
}

/** One that got none says so in words. */
function nodesIn(value: unknown): string {
  const nodes = textIn(value);
  return nodes === 'None assigned' ? '' : nodes;
}

function accountingIn(jobId: string, nodes: string, job: Json, time: Json): Accounting {
  const steps = (Array.isArray(job['steps']) ? job['steps'] : []).filter(isJson);
  const memory = Math.max(0, ...steps.map(memoryOfStep));
  const energy = Math.max(0, ...steps.map(energyOfStep));
  return {
    jobId,
    elapsedMs: (numberIn(time['elapsed']) ?? 0) * 1_000,
    cpuMs: Math.max(durationIn(time['total']), sum(steps.map((step) => durationIn(partOf(step['time'])['total'])))),
    nodes,
    ...optional('maxMemoryBytes', memory === 0 ? undefined : memory),
    ...optional('energyJoules', energy === 0 ? undefined : energy),
  };
}

/** The largest resident set of one of its tasks. */
function memoryOfStep(step: Json): number {
  const most = partOf(partOf(step['tres'])['requested'])['max'];
  const memory = Array.isArray(most) ? most.filter(isJson).find(({ type }) => type === 'mem') : undefined;
  return known(memory?.['count']);
}

function energyOfStep(step: Json): number {
  const { energy } = partOf(step['statistics']);
  return known(numberIn(partOf(energy)['consumed']));
}

/** What was not counted is told as a negative number, or as one of the largest of 32 or 64 bits. */
function known(value: unknown): number {
  const isKnown = typeof value === 'number' && value > 0 && value < 2 ** 62 && (value < 2 ** 32 - 3 || value > 2 ** 32);
  return isKnown ? value : 0;
}

function durationIn(value: unknown): number {
  const { seconds, microseconds } = partOf(value);
  return Math.round((numberIn(seconds) ?? 0) * 1_000 + (numberIn(microseconds) ?? 0) / 1_000);
}

function partOf(value: unknown): Json {
  return isJson(value) ? value : {};
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
