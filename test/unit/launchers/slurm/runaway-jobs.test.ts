/** Jobs of which the accounting was never told that they have ended. */

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createJobPoller, type JobPoller, type JobView } from '../../../../launchers/slurm/job-poller.ts';
import { type PlayedSlurm, playSlurm } from '../../../support/play-slurm.ts';
import { silentLog } from '../../../support/silent-log.ts';

const begin = Date.UTC(2026, 10, 25);
const minuteMs = 60_000;

describe('a job that the accounting says runs, and squeue does not know', () => {
  let slurm: PlayedSlurm;
  let poller: JobPoller;
  let views: AsyncIterator<JobView>;

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['Date'], now: begin });
    slurm = playSlurm();
    Object.assign(slurm, { accounted: [1], accountedState: 'RUNNING' });
    const backoff = { firstMs: 1, mostMs: 2 };
    poller = createJobPoller({ host: slurm.host, intervalMs: 1, lookUpEveryMs: 1, backoff, log: silentLog });
    const job = { id: '1', user: 'alice', since: new Date(0) };
    views = poller.follow(job, new AbortController().signal)[Symbol.asyncIterator]();
  });
  afterEach(() => {
    poller.close();
    vi.useRealTimers();
  });

  /** What is told after so many minutes; the first view may be from before. */
  async function toldAfter(minutes: number): Promise<string> {
    vi.setSystemTime(begin + minutes * minuteMs);
    await views.next();
    await views.next();
    return ((await views.next()).value as JobView).kind;
  }

  it('is gone after fifteen minutes, where squeue tells of jobs of its user', async () => {
    slurm.queued = [2];
    expect(await toldAfter(0)).toBe('job');
    expect(await toldAfter(14)).toBe('job');
    expect(await toldAfter(16)).toBe('gone');
  });

  it('is not where squeue has told of it meanwhile', async () => {
    slurm.queued = [2];
    expect(await toldAfter(0)).toBe('job');
    slurm.queued = [1, 2];
    expect(await toldAfter(10)).toBe('job');
    slurm.queued = [2];
    expect(await toldAfter(16)).toBe('job');
    expect(await toldAfter(32)).toBe('gone');
  });

  it('is not where squeue tells of no job of its user: they may be hidden from whoever asks', async () => {
    expect(await toldAfter(0)).toBe('job');
    expect(await toldAfter(600)).toBe('job');
    slurm.said = 'squeue: error: Invalid user: alice\n';
    expect(await toldAfter(1_200)).toBe('job');
  });

  it('is not where the accounting knows its end', async () => {
    Object.assign(slurm, { queued: [2], accountedState: 'FAILED' });
    expect(await toldAfter(0)).toBe('job');
    expect(await toldAfter(600)).toBe('job');
  });
});
