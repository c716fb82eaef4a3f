import { describe, expect, it } from 'vitest';
import type { JobView } from '../../../../launchers/slurm/job-poller.ts';
import { causeInWords, withCause } from '../../../../launchers/slurm/with-cause.ts';
import type { LaunchEnd } from '../../../../src/launcher/launcher.ts';

const at = new Date(0);
const job = { id: '1', user: 'alice', since: at };
const lost: LaunchEnd = { kind: 'lost', at, started: true, detail: 'gone' };
const killed: LaunchEnd = { kind: 'exited', at, exitCode: 137 };

function ended(state: string, cancelledBy?: string): JobView {
  const record = {
    id: '1',
    ownId: 1,
    name: 'n',
    user: 'alice',
    states: [state],
    reason: 'None',
    exitCode: 0,
    signal: 9,
  };
  return { kind: 'job', job: { ...record, nodes: 'c1', ...(cancelledBy === undefined ? {} : { cancelledBy }) } };
}

function explain(end: LaunchEnd, view: JobView, { said = '', cancelled = false, booked = 'root' } = {}) {
  const record = ended('CANCELLED', booked);
  const parts = {
    poller: { account: async () => (record.kind === 'job' ? [record.job] : []) },
    lastWords: async () => said,
    accountingMs: 1_000,
  };
  return withCause(parts, end, { view, job, cancelled });
}

describe('what Slurm ended an attempt for', () => {
  it.each([
    ['TIMEOUT', 'time-limit'],
    ['OUT_OF_MEMORY', 'out-of-memory'],
    ['NODE_FAIL', 'node-failure'],
    ['PREEMPTED', 'preemption'],
  ])('%s is %s', async (state, by) => {
    expect(await explain(lost, ended(state))).toMatchObject({ kind: 'killed', by });
    expect(await explain(killed, ended(state))).toMatchObject({ kind: 'killed', by, exitCode: 137 });
  });

  it('is memory where a job FAILED by signal 9, and slurmstepd says so', async () => {
    const said =
      'slurmstepd-node1: error: StepId=5.batch exceeded memory limit (109862912 > 31457280), being killed\n' +
      'slurmstepd-node1: error: Exceeded job memory limit\n';
    expect(await explain(killed, ended('FAILED'), { said })).toMatchObject({ kind: 'killed', by: 'out-of-memory' });
    expect(await explain(killed, ended('FAILED'))).toEqual(killed);
  });

  it('is read of lines of slurmstepd, and of no others', () => {
    expect(
      causeInWords('slurmstepd: error: *** JOB 4 ON c1 CANCELLED AT 2026-11-25T03:19:54 DUE TO TIME LIMIT ***'),
    ).toBe('time-limit');
    expect(causeInWords('the user wrote: slurmstepd: Exceeded job memory limit')).toBeUndefined();
    expect(causeInWords('')).toBeUndefined();
  });

  it('is nothing where the program ended by itself', async () => {
    const end: LaunchEnd = { kind: 'exited', at, exitCode: 3 };
    expect(await explain(end, ended('FAILED'), { said: 'slurmstepd: error: Exceeded job memory limit' })).toEqual(end);
  });
});

describe('who cancelled a job', () => {
  it.each([
    ['alice', 'Its job was cancelled by its user "alice"'],
    ['root', 'Its job was cancelled by the site, as "root"'],
  ])('%s is told', async (booked, detail) => {
    const end = await explain(killed, ended('CANCELLED'), { booked });
    expect(end).toEqual({ kind: 'cancelled', at, exitCode: 137, detail });
  });

  it('is not told where it was us', async () => {
    const end = await explain({ kind: 'cancelled', at }, ended('CANCELLED'), { cancelled: true });
    expect(end).toEqual({ kind: 'cancelled', at });
  });
});
