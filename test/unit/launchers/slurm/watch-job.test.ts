import { describe, expect, it } from 'vitest';
import type { HostLedger } from '../../../../launchers/host/host-ledger.ts';
import type { FollowedJob, JobPoller, JobView } from '../../../../launchers/slurm/job-poller.ts';
import { watchJob } from '../../../../launchers/slurm/watch-job.ts';
import { UnavailableError } from '../../../../src/errors.ts';
import type { EndRecord } from '../../../../src/launcher/end-record.ts';
import type { AttemptRef } from '../../../../src/launcher/launcher.ts';
import { silentLog } from '../../../support/silent-log.ts';

const ref = { executionId: 'e', attempt: 1 } as AttemptRef;
const job = { id: '70_3', user: 'alice', since: new Date(0) };

/** All but the poller, with a marker that stays so. */
function partsOf(marker: object) {
  const ledger = {
    readMarker: async () => marker,
    readEnd: async () => undefined,
    wasCancelled: async () => false,
  } as unknown as HostLedger;
  return {
    ledger,
    log: silentLog,
    listen: () => ({ [Symbol.dispose]: () => undefined }),
    lateMs: 0,
    isWhole: async () => true,
    lastWords: async () => '',
    accountingMs: 0,
  };
}

describe('following an attempt', () => {
  it('goes over to the job its start marker names, which has to be its own', async () => {
    const leaving = new AbortController();
    const followed: FollowedJob[] = [];
    const running = { id: '70_3', ownId: 74, name: 'abaco-s1', user: 'alice', states: ['RUNNING'], reason: 'None' };
    async function* follow(asked: FollowedJob): AsyncGenerator<JobView> {
      followed.push(asked);
      if (followed.length === 2) leaving.abort();
      yield { kind: 'job', job: { ...running, exitCode: 0, signal: 0, nodes: 'c1' } };
    }
    const parts = {
      ...partsOf({ kind: 'started', owner: 'c1:12@99.0' }),
      poller: { follow } as unknown as JobPoller,
    };
    await Array.fromAsync(watchJob(parts, ref, job, leaving.signal));
    expect(followed).toEqual([job, { ...job, id: '99', handedOver: '70_3' }]);
  });

  it('is over when the poller is closed', async () => {
    const follows: string[] = [];
    // What a closed poller gives is over at once: asked again for ever, it leaves no turn to anybody else.
    async function* follow({ id }: FollowedJob): AsyncGenerator<JobView> {
      follows.push(id);
      if (follows.length > 3) throw new Error('asked again and again');
      yield* [];
    }
    const parts = { ...partsOf({ kind: 'free' }), poller: { follow } as unknown as JobPoller };
    const events = watchJob(parts, ref, job, new AbortController().signal);
    expect(await Array.fromAsync(events)).toEqual([]);
    expect(follows).toEqual([job.id]);
  });

  it('says of what never started what Apptainer said of that', async () => {
    const failed = { id: '70_3', ownId: 74, name: 'abaco-s1', user: 'alice', states: ['FAILED'], reason: 'None' };
    async function* follow(): AsyncGenerator<JobView> {
      yield { kind: 'job', job: { ...failed, exitCode: 255, signal: 0, nodes: 'c1' } };
    }
    const parts = {
      ...partsOf({ kind: 'free' }),
      poller: { follow: () => follow() } as unknown as JobPoller,
      lastWords: async () => 'INFO: Mounting\nFATAL: container creation failed: fuse: device not found\n',
    };
    parts.ledger.close = async () => 'closed';
    const events = await Array.fromAsync(watchJob(parts, ref, job, new AbortController().signal));
    expect(events).toMatchObject([{ kind: 'lost', started: false }]);
    expect(events[0]).toHaveProperty(
      'detail',
      'Its job ended before the program started: exit code 255, Slurm says FAILED: ' +
        'INFO: Mounting; FATAL: container creation failed: fuse: device not found',
    );
  });

  it.each([
    ['OUT_OF_MEMORY', 0, { kind: 'exited', exitCode: 0 }],
    ['CANCELLED', 0, { kind: 'exited', exitCode: 0 }],
    ['OUT_OF_MEMORY', 1, { kind: 'killed', by: 'out-of-memory', exitCode: 1 }],
  ])('tells the end that a program said, whatever comes first: its job is %s, its exit code %i', async (...of) => {
    const [state, exitCode, end] = of;
    const ended = { id: '70_3', ownId: 74, name: 'abaco-s1', user: 'alice', states: [state], reason: 'None' };
    let hasEnded = false;
    async function* follow(): AsyncGenerator<JobView> {
      hasEnded = true;
      yield { kind: 'job', job: { ...ended, exitCode: 0, signal: 125, nodes: 'c1' } };
    }
    const parts = {
      ...partsOf({ kind: 'started', owner: 'c1:12@74.0' }),
      poller: { follow: () => follow() } as unknown as JobPoller,
    };
    const record = { reason: 'exited', exitCode, signal: 0, startedAt: new Date(1), finishedAt: new Date(2) };
    parts.ledger.readEnd = async () => (hasEnded ? (record as EndRecord) : undefined);
    const events = await Array.fromAsync(watchJob(parts, ref, job, new AbortController().signal));
    expect(events.at(-1)).toMatchObject({ ...end, at: record.finishedAt });
  });

  it('says of what runs that it is suspended, and when it goes on', async () => {
    const leaving = new AbortController();
    const record = { id: '70_3', ownId: 74, name: 'abaco-s1', user: 'alice', reason: 'None', exitCode: 0, signal: 0 };
    async function* follow(): AsyncGenerator<JobView> {
      for (const state of ['RUNNING', 'SUSPENDED', 'SUSPENDED', 'RUNNING', 'RUNNING']) {
        yield { kind: 'job', job: { ...record, states: [state], nodes: 'c1' } };
      }
      leaving.abort();
    }
    const parts = {
      ...partsOf({ kind: 'started', owner: 'c1:12@74.0' }),
      poller: { follow: () => follow() } as unknown as JobPoller,
    };
    const events = await Array.fromAsync(watchJob(parts, ref, job, leaving.signal));
    expect(events).toMatchObject([
      { kind: 'running', node: 'c1' },
      { kind: 'queued', reason: 'Slurm has suspended it', owner: 'operator' },
      { kind: 'running', node: 'c1' },
    ]);
    expect(events[2]).toEqual(events[0]);
  });

  it('says that its host cannot be reached while nothing can be looked at, and goes on when it can', async () => {
    const leaving = new AbortController();
    const away = new UnavailableError('host.unavailable', 'Host login does not answer');
    let isAway = false;
    const waiting = { id: '70_3', ownId: 74, name: 'abaco-s1', user: 'alice', states: ['PENDING'], reason: 'Priority' };
    async function* follow(): AsyncGenerator<JobView> {
      yield { kind: 'job', job: { ...waiting, exitCode: 0, signal: 0, nodes: '' } };
      isAway = true;
      yield { kind: 'unanswered', asked: 'squeue', error: away };
      yield { kind: 'job', job: { ...waiting, exitCode: 0, signal: 0, nodes: '' } };
      leaving.abort();
    }
    const parts = {
      ...partsOf({ kind: 'free' }),
      poller: { follow: () => follow() } as unknown as JobPoller,
    };
    parts.ledger.readMarker = async () => {
      if (isAway) throw away;
      return { kind: 'free' };
    };
    const reasons: string[] = [];
    for await (const event of watchJob(parts, ref, job, leaving.signal)) {
      reasons.push(event.kind === 'queued' ? event.reason : event.kind);
      // Whoever hears of it mends it.
      if (reasons.length === 2) isAway = false;
    }
    expect(reasons).toEqual([
      expect.stringContaining('(Priority)'),
      'The cluster cannot be reached: Host login does not answer',
      expect.stringContaining('(Priority)'),
    ]);
  });
});
