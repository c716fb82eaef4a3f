/** Looking up the jobs of a user: one question for all who do, and what an answer says. */

import { setImmediate } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { createJobPoller, type JobPoller } from '../../../../launchers/slurm/job-poller.ts';
import { type PlayedSlurm, playSlurm } from '../../../support/play-slurm.ts';
import { silentLog } from '../../../support/silent-log.ts';

describe('a look-up of jobs', () => {
  let poller: JobPoller;

  const open = (slurm: PlayedSlurm, lookUpEveryMs = 1): JobPoller => {
    const backoff = { firstMs: 1, mostMs: 2 };
    poller = createJobPoller({ host: slurm.host, intervalMs: 60_000, lookUpEveryMs, backoff, log: silentLog });
    return poller;
  };

  afterEach(() => poller.close());

  it('finds the jobs of a user also where Slurm cannot tell the name of that user, and none of another', async () => {
    const slurm = playSlurm();
    Object.assign(slurm, { queued: [1], user: 'nobody' });
    open(slurm);
    expect(await poller.jobsOf('alice')).toMatchObject([{ id: '1' }]);
    slurm.user = 'bob';
    expect(await Promise.all([poller.jobsOf('alice'), poller.jobsOf('bob')])).toMatchObject([[], [{ id: '1' }]]);
  });

  it('makes one question an interval of look-ups that come one after the other', async () => {
    const slurm = playSlurm();
    slurm.queued = [1];
    open(slurm, 100);
    const began = Date.now();
    await poller.jobsOf('alice');
    // Each comes while nobody asks.
    const next = Array.from({ length: 20 }, async () => {
      await setImmediate();
      return await poller.jobsOf('alice');
    });
    expect((await Promise.all(next)).every((jobs) => jobs.length === 1)).toBe(true);
    expect(slurm.asked).toEqual(['squeue', 'squeue']);
    expect(Date.now() - began).toBeGreaterThanOrEqual(99);
  });

  it('makes one question of many look-ups, begun after the last of them', async () => {
    const slurm = playSlurm();
    slurm.queued = [1];
    open(slurm);
    const found = await Promise.all(
      Array.from({ length: 100 }, async () => await poller.findByName('abaco-s1', 'alice')),
    );
    expect(found.every((jobs) => jobs.length === 1)).toBe(true);
    expect(slurm.asked.length).toBeLessThanOrEqual(2);
    slurm.queued = [];
    expect(await poller.findByName('abaco-s1', 'alice')).toEqual([]);
    slurm.broken = true;
    await expect(poller.findByName('abaco-s1', 'alice')).rejects.toThrow('slurmctld does not answer');
  });
});
