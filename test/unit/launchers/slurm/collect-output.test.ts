import { describe, expect, it } from 'vitest';
import { collectOutput } from '../../../../launchers/slurm/collect-output.ts';
import type { Desk } from '../../../../launchers/slurm/desk.ts';
import type { FollowedJob, JobPoller } from '../../../../launchers/slurm/job-poller.ts';

/**
 * What is asked for of an attempt that was handed over as job 70_3, and whose start marker says this.
 *
 * @param removed - its end was on record, and its files are gone by the time the accounting is asked.
 */
async function asksFor(marker: string, removed = false): Promise<readonly FollowedJob[]> {
  const asked: FollowedJob[] = [];
  const desk = {
    ledger: {
      readEnd: async () => (removed ? { owner: marker } : undefined),
      readMarker: async () => (removed ? { kind: 'free' } : { kind: 'started', owner: marker }),
    },
    reader: { look: async () => ({ logBytes: 0 }) },
  } as unknown as Desk;
  const account = async (job: FollowedJob) => {
    asked.push(job);
    return [];
  };
  const job = { id: '70_3', user: 'alice', since: new Date(0) };
  const output = await collectOutput({
    desk,
    ref: { executionId: 'e', attempt: 1 },
    job,
    poller: { account } as unknown as JobPoller,
    limits: { logBytes: 1, resultCount: 1, resultTotalBytes: 1 },
    onEnd: () => undefined,
    accountingMs: 1,
  });
  await output.readAccounting?.();
  return asked;
}

describe('the accounting of an attempt', () => {
  it('is that of the job its start marker names, which has to be its own', async () => {
    expect(await asksFor('c1:12@99.0')).toEqual([expect.objectContaining({ id: '99', handedOver: '70_3' })]);
  });

  it('is asked for by the end record, as the marker may have been removed since', async () => {
    expect(await asksFor('c1:12@99.0', true)).toEqual([expect.objectContaining({ id: '99', handedOver: '70_3' })]);
  });

  it('is that of the job that was handed over where the marker names none', async () => {
    expect(await asksFor('c1:12@--jobs=1')).toEqual([expect.objectContaining({ id: '70_3', user: 'alice' })]);
  });
});
