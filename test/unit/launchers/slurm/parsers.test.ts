/** What Slurm prints, as it was recorded, and as it may be cut off. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseSacct } from '../../../../launchers/slurm/commands/sacct.ts';
import { parseSbatch } from '../../../../launchers/slurm/commands/sbatch.ts';
import { elementsIn } from '../../../../launchers/slurm/commands/text-rows.ts';
import { LauncherError } from '../../../../src/errors.ts';
import { packageRoot } from '../../../support/package-root.ts';

const recorded = (name: string): string =>
  readFileSync(join(packageRoot, 'test/fixtures/slurm', `${name}.json`), 'utf8');

describe('sacct', () => {
  it('tells of jobs and elements', () => {
    const jobs = parseSacct(recorded('24.11/sacct-jobs'));
    expect(jobs.map(({ id }) => id)).toEqual(['1', '4', '7', '5_0', '5_1', '5_2']);
    expect(jobs[5]).toMatchObject({ ownId: 5, states: ['FAILED'], exitCode: 3, user: 'alice', nodes: 'c1' });
    // One that was cancelled before it started has the largest number as its start.
    expect(jobs[1]).toMatchObject({ states: ['CANCELLED'] });
    expect(jobs[1]).not.toHaveProperty('startedAt');
  });
});

describe('the elements of an array that wait together', () => {
  it.each([
    ['24.11', { set: false, infinite: false, number: 0 }],
    ['22.05', null],
  ])('are in the accounting of %s no element, as they are in its columns', (_, waiting) => {
    const record = (id: number, element: unknown, state: string) => ({
      job_id: id,
      name: 'abaco-s1',
      array: { job_id: 123, task_id: element },
      state: { current: [state] },
    });
    const jobs = [record(124, 0, 'FAILED'), record(123, waiting, 'PENDING')];
    expect(parseSacct(JSON.stringify({ jobs }))).toMatchObject([{ id: '123_0', ownId: 124, states: ['FAILED'] }]);
  });
});

describe('what is cut off or is something else', () => {
  it('is an error of ours and nothing worse', () => {
    const whole = recorded('24.11/sacct-jobs');
    const cut = fc.nat(60_000).map((at) => whole.slice(0, at));
    fc.assert(
      fc.property(fc.oneof(cut, fc.json(), fc.string()), (text) => {
        try {
          parseSacct(text);
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(LauncherError);
        }
      }),
    );
    const job = fc.record({ job_id: fc.jsonValue(), array: fc.jsonValue(), state: fc.jsonValue() });
    const jobs = fc.record({ jobs: fc.array(fc.oneof(job, fc.jsonValue())) });
    fc.assert(fc.property(jobs, (answer) => Array.isArray(parseSacct(JSON.stringify(answer)))));
  });
});

describe('the elements that wait', () => {
  it.each([
    ['0-2', [0, 1, 2]],
    ['5', [5]],
    ['0-1,4,6-10:2%3', [0, 1, 4, 6, 8, 10]],
    ['', []],
    ['nonsense', []],
  ])('%j are %j', (text, elements) => {
    expect(elementsIn(text)).toEqual(elements);
  });
});

describe('sbatch', () => {
  const said = (stderr: string, stdout = '', exitCode: number | null = 1) =>
    parseSbatch({ exitCode, signal: exitCode === null ? 'SIGKILL' : null, stdout, stderr });

  it('answers the number of the job, also on a federation', () => {
    expect(said('', '123\n', 0)).toBe(123);
    expect(said('', '123;cluster\n', 0)).toBe(123);
    expect(said('sbatch: a word of the site\n', 'Welcome!\n123\n', 0)).toBe(123);
  });

  it.each([
    ['sbatch: error: Batch job submission failed: Socket timed out on send/recv operation', 'UnknownOutcomeError'],
    ['sbatch: error: slurm_receive_msg: Zero Bytes were transmitted or received', 'UnknownOutcomeError'],
    [
      'sbatch: error: AssocMaxSubmitJobLimit\nsbatch: error: Batch job submission failed: Job violates accounting/QOS policy',
      'QuotaError',
    ],
    [
      'sbatch: error: Batch job submission failed: Unable to contact slurm controller (connect failure)',
      'UnavailableError',
    ],
    ['sbatch: error: Batch job submission failed: Invalid partition name specified', 'InvalidError'],
    [
      'sbatch: error: Batch job submission failed: Requested time limit is invalid (missing or exceeds some limit)',
      'InvalidError',
    ],
    ['', 'LauncherError'],
  ])('that says %j is %s', (stderr, name) => {
    expect(() => said(stderr)).toThrow(expect.objectContaining({ name }) as Error);
  });

  it('that was ended, or says nothing of a number, may have handed it over', () => {
    expect(() => said('', '', null)).toThrow('did not say whether it took the job');
    expect(() => said('', 'hello\n', 0)).toThrow('did not say whether it took the job');
  });
});
