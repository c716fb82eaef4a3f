import { describe, expect, it } from 'vitest';
import { liveJobsOf } from '../../../../launchers/slurm/attempt-jobs.ts';
import type { JobRecord } from '../../../../launchers/slurm/job-record.ts';
import type { AttemptRef } from '../../../../src/launcher/launcher.ts';
import { parseMarker } from '../../../../src/launcher/ledger.ts';

const ref = { executionId: 'e1', attempt: 1, owner: 'alice' };
const other = { executionId: 'e2', attempt: 1 };
/** What the directories of submissions say. */
const indexes: Readonly<Record<string, readonly AttemptRef[]>> = {
  s1: [ref],
  s2: [ref],
  s3: [other, ref],
  s4: [other],
};

const job = (id: string, name: string, state: string, ownId = Number.parseInt(id, 10)): JobRecord => ({
  id,
  ownId,
  name,
  user: 'alice',
  states: [state],
  reason: 'None',
  exitCode: 0,
  signal: 0,
  nodes: '',
});

interface Staged {
  readonly submission?: string;
  /** Target of the marker. */
  readonly marker?: string;
  readonly jobs: readonly JobRecord[];
}

async function found({ submission, marker, jobs }: Staged): Promise<readonly string[]> {
  const ledger = { readSubmission: async () => submission, readMarker: async () => parseMarker(marker) };
  const desk = { owner: 'alice', ledger, readIndex: async (name: string) => indexes[name] ?? [] };
  const live = await liveJobsOf(desk as unknown as Parameters<typeof liveJobsOf>[0], { jobsOf: async () => jobs }, ref);
  return live.map(({ id }) => id);
}

describe('the jobs that may run an attempt', () => {
  it.each<[string, Staged, readonly string[]]>([
    ['the last submission', { submission: 's2', jobs: [job('2', 'abaco-s2', 'PENDING')] }, ['2']],
    ['nothing of a last one that has ended', { submission: 's2', jobs: [job('2', 'abaco-s2', 'FAILED')] }, []],
    [
      'the one that holds the marker, where the last has ended',
      {
        submission: 's2',
        marker: 'n@1.0',
        jobs: [job('1', 'abaco-s1', 'RUNNING'), job('2', 'abaco-s2', 'FAILED')],
      },
      ['1'],
    ],
    [
      'both, where the last waits',
      {
        submission: 's2',
        marker: 'n@1.0',
        jobs: [job('1', 'abaco-s1', 'RUNNING'), job('2', 'abaco-s2', 'PENDING')],
      },
      ['1', '2'],
    ],
    [
      'an element of an array by the number that its processes know',
      {
        submission: 's2',
        marker: 'n@8.0',
        jobs: [job('7_0', 'abaco-s3', 'RUNNING', 7), job('7_1', 'abaco-s3', 'RUNNING', 8)],
      },
      ['7_1'],
    ],
    [
      'once, where the last holds it',
      { submission: 's2', marker: 'n@2.0', jobs: [job('2', 'abaco-s2', 'RUNNING')] },
      ['2'],
    ],
    [
      'nothing of another attempt that the marker names',
      { submission: 's2', marker: 'n@4.0', jobs: [job('4', 'abaco-s4', 'RUNNING')] },
      [],
    ],
    [
      'nothing that is no job of ours and that the marker names',
      { submission: 's2', marker: 'n@9.0', jobs: [job('9', 'simulation', 'RUNNING')] },
      [],
    ],
    [
      'the holder of an attempt whose submission was not noted',
      { marker: 'n@1.0', jobs: [job('1', 'abaco-s1', 'RUNNING')] },
      ['1'],
    ],
    ['nothing where nothing was handed over', { submission: '', jobs: [job('1', 'abaco-', 'RUNNING')] }, []],
    ['nothing of what a closed marker says', { marker: 'closed:1.0', jobs: [job('1', 'abaco-s1', 'RUNNING')] }, []],
  ])('are %s', async (_, staged, ids) => expect(await found(staged)).toEqual(ids));
});
