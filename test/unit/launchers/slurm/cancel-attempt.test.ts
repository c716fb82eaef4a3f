/** What a cancel does where Slurm does not answer, or knows nothing of what runs. */

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Command } from '../../../../launchers/host/command.ts';
import { type Cancellation, createCancellation } from '../../../../launchers/slurm/cancel-attempt.ts';
import type { JobRecord } from '../../../../launchers/slurm/job-record.ts';
import { parseMarker } from '../../../../src/launcher/ledger.ts';
import { silentLog } from '../../../support/silent-log.ts';

const ref = { executionId: 'e1', attempt: 1, owner: 'alice' };
const graceMs = 1_000;
const running: JobRecord = {
  id: '5',
  ownId: 5,
  name: 'abaco-s1',
  user: 'alice',
  states: ['RUNNING'],
  reason: 'None',
  exitCode: 0,
  signal: 0,
  nodes: 'c1',
};

/** An attempt whose job has taken the marker. */
function playCluster() {
  const cluster = {
    jobs: [] as readonly JobRecord[],
    isAway: false,
    hasEnded: false,
    /** What scancel was told. */
    told: [] as string[],
    isNoted: false,
  };
  const ledger = {
    close: async () => 'started',
    noteCancel: async () => void (cluster.isNoted = true),
    wasCancelled: async () => cluster.isNoted,
    readSubmission: async () => 's1',
    readMarker: async () => parseMarker('c1:12@5.0'),
    readEnd: async () => (cluster.hasEnded ? {} : undefined),
  };
  const host = { run: async ({ argv }: Command<void>) => void cluster.told.push(argv.join(' ')) };
  const desk = { owner: 'alice', host, ledger, readIndex: async () => [ref] } as unknown as Parameters<
    Cancellation['cancel']
  >[0];
  const jobsOf = async () => {
    if (cluster.isAway) throw new Error('slurmctld does not answer');
    return cluster.jobs;
  };
  const cancellation = createCancellation({
    poller: { jobsOf },
    log: silentLog,
    signal: new AbortController().signal,
  });
  return {
    cluster,
    cancel: async () => await cancellation.cancel(desk, ref, graceMs),
    endJobs: async () => await cancellation.endJobs(desk, ref),
    forget: () => cancellation.forget(ref),
  };
}

describe('a cancel of what has started', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('is refused, so that it is repeated, where Slurm knows no job of it', async () => {
    const { cluster, cancel } = playCluster();
    await expect(cancel()).rejects.toMatchObject({ code: 'launcher.unavailable', retryable: true });
    expect(cluster.told).toEqual([]);
    cluster.jobs = [running];
    expect(await cancel()).toBe('stopping');
    expect(cluster.told).toEqual(['scancel --batch --signal=TERM 5']);
  });

  it.each([
    ['it has said that it has ended', { hasEnded: true }],
    ['Slurm knows that its job has ended', { jobs: [{ ...running, states: ['NODE_FAIL'] }] }],
  ])('is done where %s', async (_, changes) => {
    const { cluster, cancel } = playCluster();
    Object.assign(cluster, changes);
    expect(await cancel()).toBe('stopping');
    expect(cluster.told).toEqual([]);
  });

  it('is refused for no longer than ten minutes, as its job may never come back', async () => {
    const { cancel } = playCluster();
    await expect(cancel()).rejects.toThrow('Slurm knows no job of it');
    await vi.advanceTimersByTimeAsync(599_000);
    await expect(cancel()).rejects.toThrow('Slurm knows no job of it');
    await vi.advanceTimersByTimeAsync(2_000);
    expect(await cancel()).toBe('stopping');
  });

  it.each(['endJobs', 'forget'] as const)('is refused as long again where it had been removed, by %s', async (end) => {
    const played = playCluster();
    await expect(played.cancel()).rejects.toThrow('Slurm knows no job of it');
    await played[end]();
    await vi.advanceTimersByTimeAsync(601_000);
    await expect(played.cancel()).rejects.toThrow('Slurm knows no job of it');
  });

  it('kills it after its grace time, once, also where Slurm did not answer at first', async () => {
    const { cluster, cancel } = playCluster();
    Object.assign(cluster, { jobs: [running], isAway: true });
    await expect(cancel()).rejects.toThrow('slurmctld does not answer');
    cluster.isAway = false;
    await Promise.all([cancel(), cancel()]);
    const kills = () => cluster.told.filter((line) => line === 'scancel 5');
    expect(kills()).toEqual([]);
    await vi.advanceTimersByTimeAsync(graceMs + 60_000);
    expect(kills()).toHaveLength(1);
  });
});
