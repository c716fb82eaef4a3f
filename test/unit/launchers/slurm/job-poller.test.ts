/** How often Slurm is asked. Slurm is played here, since it is counted and made to fail. */

import { afterEach, describe, expect, it } from 'vitest';
import type { Command } from '../../../../launchers/host/command.ts';
import type { Host } from '../../../../launchers/host/host.ts';
import { createJobPoller, type JobPoller, type JobView } from '../../../../launchers/slurm/job-poller.ts';
import { silentLog } from '../../../support/silent-log.ts';
import { until } from '../../../support/until.ts';

const since = new Date(0);

interface PlayedSlurm {
  readonly asked: string[];
  /** Jobs that squeue knows. */
  queued: readonly number[];
  /** Jobs that sacct knows. */
  accounted: readonly number[];
  broken: boolean;
  readonly host: Host;
}

function playSlurm(): PlayedSlurm {
  const slurm: PlayedSlurm = {
    asked: [],
    queued: [],
    accounted: [],
    broken: false,
    host: {
      name: 'played',
      run: async <T>({ argv, parse }: Command<T>): Promise<T> => {
        slurm.asked.push(argv[0]);
        if (slurm.broken) throw new Error('slurmctld does not answer');
        const ids = argv[0] === 'squeue' ? slurm.queued : slurm.accounted;
        const job = (id: number) => ({
          job_id: id,
          name: 'n',
          job_state: ['RUNNING'],
          state: { current: ['COMPLETED'] },
        });
        return parse({ exitCode: 0, signal: null, stdout: JSON.stringify({ jobs: ids.map(job) }), stderr: '' });
      },
    } as unknown as Host,
  };
  return slurm;
}

describe('the poller of a cluster', () => {
  let poller: JobPoller;

  const open = (slurm: PlayedSlurm, intervalMs: number): JobPoller => {
    const backoff = { firstMs: 1, mostMs: 2 };
    poller = createJobPoller({ host: slurm.host, intervalMs, backoff, log: silentLog });
    return poller;
  };

  afterEach(() => poller.close());

  const first = async (id: number, leaving = new AbortController()): Promise<JobView | undefined> => {
    for await (const view of poller.follow({ id: String(id), user: 'alice', since }, leaving.signal)) return view;
    return undefined;
  };

  it('asks once for all jobs that are followed, however many', async () => {
    const slurm = playSlurm();
    slurm.queued = Array.from({ length: 500 }, (_, index) => index + 1);
    open(slurm, 60_000);
    const views = await Promise.all(slurm.queued.map(async (id) => await first(id)));
    expect(views.every((view) => view?.kind === 'job')).toBe(true);
    expect(slurm.asked).toEqual(['squeue']);
  });

  it('asks the accounting only for what the queue does not know, and once for all of that', async () => {
    const slurm = playSlurm();
    slurm.queued = [1];
    slurm.accounted = [2, 3];
    open(slurm, 60_000);
    const views = await Promise.all([1, 2, 3, 4].map(async (id) => await first(id)));
    expect(views.map((view) => view?.kind)).toEqual(['job', 'job', 'job', 'gone']);
    expect(slurm.asked).toEqual(['squeue', 'sacct']);
  });

  it('asks nothing while nothing is followed', async () => {
    const slurm = playSlurm();
    slurm.queued = [1];
    open(slurm, 1);
    await first(1);
    const asked = slurm.asked.length;
    // One question may have been under way.
    await until(() => slurm.asked.length <= asked + 1);
    const settled = slurm.asked.length;
    await first(1);
    expect(slurm.asked.length).toBeGreaterThan(settled);
  });

  it('says nothing of any job while Slurm does not answer, and goes on when it does', async () => {
    const slurm = playSlurm();
    slurm.queued = [1];
    slurm.broken = true;
    open(slurm, 1);
    const view = first(1);
    await until(() => slurm.asked.length > 3);
    expect(poller.trouble()?.message).toBe('slurmctld does not answer');
    slurm.broken = false;
    expect(await view).toMatchObject({ kind: 'job', job: { id: '1' } });
    expect(poller.trouble()).toBeUndefined();
  });

  it('makes one question of many look-ups, begun after the last of them', async () => {
    const slurm = playSlurm();
    slurm.queued = [1];
    open(slurm, 60_000);
    const found = await Promise.all(Array.from({ length: 100 }, async () => await poller.findByName('n', 'alice')));
    expect(found.every((jobs) => jobs.length === 1)).toBe(true);
    expect(slurm.asked.length).toBeLessThanOrEqual(2);
    slurm.queued = [];
    expect(await poller.findByName('n', 'alice')).toEqual([]);
    slurm.broken = true;
    await expect(poller.findByName('n', 'alice')).rejects.toThrow('slurmctld does not answer');
  });
});
