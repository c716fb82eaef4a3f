import { describe, expect, it } from 'vitest';
import type { HostLedger } from '../../../../launchers/host/host-ledger.ts';
import type { FollowedJob, JobPoller, JobView } from '../../../../launchers/slurm/job-poller.ts';
import { watchJob } from '../../../../launchers/slurm/watch-job.ts';
import { silentLog } from '../../../support/silent-log.ts';

describe('following an attempt', () => {
  it('goes over to the job its start marker names, which has to be its own', async () => {
    const leaving = new AbortController();
    const followed: FollowedJob[] = [];
    const running = { id: '70_3', ownId: 74, name: 'abaco-s1', user: 'alice', states: ['RUNNING'], reason: 'None' };
    async function* follow(job: FollowedJob): AsyncGenerator<JobView> {
      followed.push(job);
      if (followed.length === 2) leaving.abort();
      yield { kind: 'job', job: { ...running, exitCode: 0, signal: 0, nodes: 'c1' } };
    }
    const ledger = {
      readMarker: async () => ({ kind: 'started', owner: 'c1:12@99.0' }),
      readEnd: async () => undefined,
      wasCancelled: async () => false,
    } as unknown as HostLedger;
    const parts = {
      poller: { follow } as unknown as JobPoller,
      ledger,
      log: silentLog,
      listen: () => ({ [Symbol.dispose]: () => undefined }),
      lateMs: 0,
      isWhole: async () => true,
      lastWords: async () => '',
      accountingMs: 0,
    };
    const job = { id: '70_3', user: 'alice', since: new Date(0) };
    await Array.fromAsync(watchJob(parts, { executionId: 'e', attempt: 1 }, job, leaving.signal));
    expect(followed).toEqual([job, { ...job, id: '99', handedOver: '70_3' }]);
  });
});
