/** What Slurm 22.05 to 26.05 print, as it was recorded, and as it may arrive cut off or changed. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseSacct } from '../../../../launchers/slurm/commands/sacct.ts';
import { parseSacctText } from '../../../../launchers/slurm/commands/sacct-text.ts';
import { parseSqueue } from '../../../../launchers/slurm/commands/squeue.ts';
import type { JobRecord } from '../../../../launchers/slurm/job-record.ts';
import { causeOf, phaseOf } from '../../../../launchers/slurm/job-state.ts';
import { LauncherError } from '../../../../src/errors.ts';
import { packageRoot } from '../../../support/package-root.ts';

const fixtures = join(packageRoot, 'test/fixtures/slurm');
const recorded = (version: string, name: string): string => readFileSync(join(fixtures, version, name), 'utf8');
/** What parted the columns when they were recorded. */
const separator = '\u001f';
const readSqueue = (text: string) => parseSqueue(text, separator);
const readSacctText = (text: string) => parseSacctText(text, separator);
const versions = ['22.05', '24.11', '26.05'];

const named = (jobs: readonly JobRecord[], name: string): readonly JobRecord[] =>
  jobs.filter((job) => job.name === name).toSorted((one, other) => one.id.localeCompare(other.id));
const only = (jobs: readonly JobRecord[], name: string): JobRecord | undefined => named(jobs, name)[0];

describe.each(versions)('Slurm %s', (version) => {
  describe('squeue', () => {
    const read = () => readSqueue(recorded(version, 'squeue-running.txt'));

    it('tells of each element of an array, whether it runs or waits', () => {
      const states = named(read(), 'array').map((job) => [job.id.split('_')[1], phaseOf(job)]);
      expect(states).toEqual([
        ['0', 'running'],
        ['1', 'running'],
        ['2', 'waiting'],
        ['3', 'waiting'],
      ]);
      expect(named(read(), 'array')[3]).toMatchObject({ reason: 'JobArrayTaskLimit', user: 'alice' });
      expect(named(read(), 'held').map(({ reason }) => reason)).toEqual(['JobHeldUser', 'JobHeldUser', 'JobHeldUser']);
    });

    it('tells when a job that waits is expected to start, where that is planned', () => {
      const jobs = read();
      expect(only(jobs, 'begin')?.startedAt).toBeInstanceOf(Date);
      expect(only(jobs, "odd name, with | and '")).toMatchObject({ reason: 'Dependency' });
      expect(only(jobs, "odd name, with | and '")).not.toHaveProperty('startedAt');
    });
  });

  it('tells exit codes and signals also of what the queue has not forgotten', () => {
    const jobs = readSqueue(recorded(version, 'squeue-over.txt'));
    expect(only(jobs, 'failed')).toMatchObject({ exitCode: 3, signal: 0, restarts: 0 });
    expect(only(jobs, 'signalled')).toMatchObject({ signal: 11 });
    expect(only(jobs, 'completed')).toMatchObject({ exitCode: 0, signal: 0, nodes: 'node1' });
  });

  it('counts the restarts of what was put back', () => {
    expect(only(readSqueue(recorded(version, 'squeue-requeued.txt')), 'requeued')).toMatchObject({ restarts: 1 });
  });

  it('answers a question about nobody with what was asked, which is no job', () => {
    const asked = recorded(version, 'squeue-running.txt').replace(/^(last_update_time=.*\n)[^]*/m, '$1');
    expect(asked).toContain('verbose     = ');
    expect(readSqueue(asked)).toEqual([]);
    expect(() => readSqueue('')).toThrow('squeue answered no list of jobs');
  });

  it('says the same in the JSON of sacct and in its columns', () => {
    const summary = (jobs: readonly JobRecord[]) =>
      jobs
        .map(({ id, ownId, name, user, nodes }) => ({ id, ownId, name, user, nodes }))
        .toSorted((one, other) => one.id.localeCompare(other.id));
    const json = parseSacct(recorded(version, 'sacct-over.json')).filter((job) => phaseOf(job) === 'ended');
    const text = readSacctText(recorded(version, 'sacct-over.txt')).filter((job) => phaseOf(job) === 'ended');
    expect(summary(text).filter(({ id }) => json.some((job) => job.id === id))).toEqual(
      summary(json).filter(({ id }) => text.some((job) => job.id === id)),
    );
  });

  describe.each([
    ['squeue', () => readSqueue(recorded(version, 'squeue-over.txt'))],
    ['sacct in JSON', () => parseSacct(recorded(version, 'sacct-over.json'))],
    ['sacct in columns', () => readSacctText(recorded(version, 'sacct-over.txt'))],
  ])('%s', (_, read) => {
    it.each([
      ['completed', undefined],
      ['failed', undefined],
      ['signalled', undefined],
      ['timeout', 'time-limit'],
      ['cancelled-by-user', 'cancelled'],
      ['cancelled-by-root', 'cancelled'],
      ['preempted', 'preemption'],
      ['node-fail', 'node-failure'],
    ])('tells what %s ended for', (name, cause) => {
      const job = only(read(), name);
      expect(job && phaseOf(job)).toBe('ended');
      expect(job && causeOf(job)).toBe(cause);
    });
  });

  describe.each([
    // In the JSON of 22.05 every exit code is 0.
    ['sacct in JSON', version === '22.05' ? 0 : 3, () => parseSacct(recorded(version, 'sacct-over.json'))],
    ['sacct in columns', 3, () => readSacctText(recorded(version, 'sacct-over.txt'))],
  ])('%s', (_, failedWith, read) => {
    it('tells exit codes and signals', () => {
      const jobs = read();
      expect(only(jobs, 'failed')).toMatchObject({ exitCode: failedWith, signal: 0 });
      expect(only(jobs, 'signalled')).toMatchObject({ signal: 11 });
      expect(only(jobs, 'memory')).toMatchObject({ signal: 9 });
    });

    it('tells who cancelled a job', () => {
      const jobs = read();
      expect(only(jobs, 'cancelled-by-user')).toMatchObject({ cancelledBy: 'alice' });
      expect(only(jobs, 'cancelled-by-root')).toMatchObject({ cancelledBy: 'root' });
      expect(only(jobs, 'completed')).not.toHaveProperty('cancelledBy');
    });

    it('tells what a job has used', () => {
      const used = only(read(), 'completed')?.accounting;
      expect(used?.elapsedMs).toBeGreaterThanOrEqual(2_000);
      expect(used?.cpuMs).toBeGreaterThan(100);
      expect(used?.maxMemoryBytes).toBeGreaterThan(1_000_000);
      expect(used).toMatchObject({ jobId: '1', nodes: 'node1' });
      expect(used).not.toHaveProperty('energyJoules');
    });

    it('tells of both starts of a job that was put back, the last one last', () => {
      const starts = named(read(), 'requeued');
      expect(starts).toHaveLength(2);
      expect(starts[1]).toMatchObject({ states: ['COMPLETED'] });
    });
  });
});

describe('what arrives cut off, or changed', () => {
  const all = versions.flatMap((version) =>
    readdirSync(join(fixtures, version))
      .filter((name) => /^(?:squeue|sacct)-.*\.(?:json|txt)$/.test(name) && name !== 'squeue-start.txt')
      .map((name) => ({ name, text: recorded(version, name) })),
  );
  const parserOf = (name: string) => {
    if (name.startsWith('squeue')) return readSqueue;
    return name.endsWith('.txt') ? readSacctText : parseSacct;
  };
  const readsOrRefuses = (name: string, text: string): void => {
    try {
      expect(Array.isArray(parserOf(name)(text))).toBe(true);
    } catch (thrown) {
      expect(thrown).toBeInstanceOf(LauncherError);
    }
  };

  it('is jobs or an error of ours, wherever it is cut', () => {
    const cut = fc.record({ from: fc.constantFrom(...all), at: fc.double({ min: 0, max: 1, noNaN: true }) });
    fc.assert(fc.property(cut, ({ from, at }) => readsOrRefuses(from.name, from.text.slice(0, from.text.length * at))));
  });

  it('is jobs or an error of ours, whatever bytes are others', () => {
    const change = fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true }), by: fc.integer({ min: 0, max: 255 }) });
    const changed = fc.record({
      from: fc.constantFrom(...all),
      changes: fc.array(change, { minLength: 1, maxLength: 40 }),
    });
    fc.assert(
      fc.property(changed, ({ from, changes }) => {
        const bytes = Buffer.from(from.text);
        for (const { at, by } of changes) bytes[Math.floor(at * (bytes.length - 1))] = by;
        readsOrRefuses(from.name, bytes.toString());
      }),
    );
  });
});
