/** How often Slurm is asked. Slurm is played here, since it is counted and made to fail. */

import { afterEach, describe, expect, it } from 'vitest';
import { createJobPoller, type JobPoller, type JobView } from '../../../../launchers/slurm/job-poller.ts';
import { type PlayedSlurm, playSlurm } from '../../../support/play-slurm.ts';
import { silentLog } from '../../../support/silent-log.ts';
import { until } from '../../../support/until.ts';

const since = new Date(0);

describe('the poller of a cluster', () => {
  let poller: JobPoller;

  const open = (slurm: PlayedSlurm, intervalMs: number): JobPoller => {
    const backoff = { firstMs: 1, mostMs: 2 };
    poller = createJobPoller({ host: slurm.host, intervalMs, lookUpEveryMs: 1, backoff, log: silentLog });
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

  it('tells nothing of a job that a start marker names and that is none of its own', async () => {
    const slurm = playSlurm();
    slurm.queued = [1];
    slurm.accounted = [2];
    open(slurm, 1);
    const named = (id: string, handedOver: string) => ({ id, user: 'bob', since, handedOver });
    const view = async (id: string, handedOver: string): Promise<JobView | undefined> => {
      const leaving = new AbortController();
      for await (const seen of poller.follow(named(id, handedOver), leaving.signal)) return seen;
      return undefined;
    };
    expect(await Promise.all([view('1', '9'), view('2', '9')])).toEqual([{ kind: 'gone' }, { kind: 'gone' }]);
    expect(await poller.account(named('2', '9'), 100)).toBeUndefined();
    // The one that was handed over.
    expect(await Promise.all([view('1', '1'), view('2', '2')])).toMatchObject([{ kind: 'job' }, { kind: 'job' }]);
    expect(await poller.account(named('2', '2'), 5_000)).toHaveLength(1);
  });

  it.each([
    ['has a name that none of ours has', 'simulation', 'alice'],
    ['is of another user who is asked about', 'abaco-s1', 'bob'],
  ])('takes no job for ours by its number alone: not one that %s', async (_, name, user) => {
    const slurm = playSlurm();
    Object.assign(slurm, { queued: [1], name, user });
    open(slurm, 60_000);
    const bobs = poller.follow({ id: '2', user: 'bob', since }, new AbortController().signal);
    const [view] = await Promise.all([first(1), bobs[Symbol.asyncIterator]().next()]);
    expect(view).toEqual({ kind: 'gone' });
    expect(slurm.asked).toEqual(['squeue', 'sacct']);
  });

  it('takes no record for that of ours by its number alone', async () => {
    const slurm = playSlurm();
    Object.assign(slurm, { accounted: [1], name: 'simulation' });
    open(slurm, 1);
    expect(await first(1)).toEqual({ kind: 'gone' });
    expect(await poller.account({ id: '1', user: 'alice', since }, 100)).toBeUndefined();
  });

  it('knows a job of ours also where Slurm cannot tell the name of its user', async () => {
    const slurm = playSlurm();
    Object.assign(slurm, { queued: [1], user: 'nobody' });
    open(slurm, 60_000);
    expect(await first(1)).toMatchObject({ kind: 'job', job: { id: '1' } });
  });

  it('takes nothing for an answer about a user whom squeue could not look up, and tells others of theirs', async () => {
    const slurm = playSlurm();
    // It drops the user, and ends with 0.
    Object.assign(slurm, { queued: [1], user: 'bob', said: 'squeue: error: Invalid user: alice\n' });
    open(slurm, 60_000);
    const refusal = { code: 'launcher.unavailable', retryable: true };
    await expect(poller.jobsOf('alice')).rejects.toMatchObject(refusal);
    await expect(poller.findByName('abaco-s1', 'alice')).rejects.toMatchObject(refusal);
    expect(await poller.jobsOf('bob')).toMatchObject([{ id: '1' }]);
    expect(await first(2)).toMatchObject({ kind: 'unanswered', asked: 'squeue', error: refusal });
  });

  it('gives a hint between two questions, and asks nothing for it', async () => {
    const slurm = playSlurm();
    slurm.queued = [1];
    open(slurm, 60_000);
    let hint = (): void => {};
    let listening = true;
    const listen = (tell: () => void): Disposable => {
      hint = tell;
      return { [Symbol.dispose]: () => void (listening = false) };
    };
    const leaving = new AbortController();
    const following = poller.follow({ id: '1', user: 'alice', since }, leaving.signal, listen);
    const views = following[Symbol.asyncIterator]();
    expect((await views.next()).value).toMatchObject({ kind: 'job' });
    hint();
    expect((await views.next()).value).toEqual({ kind: 'hinted' });
    expect(slurm.asked).toEqual(['squeue']);
    leaving.abort();
    expect((await views.next()).done).toBe(true);
    expect(listening).toBe(false);
  });

  it('gives a hint where the queue no longer knows the job, whether or not the accounting answers', async () => {
    const slurm = playSlurm();
    slurm.accountingBroken = true;
    open(slurm, 1);
    const listen = (): Disposable => ({ [Symbol.dispose]: () => undefined });
    const following = poller.follow({ id: '1', user: 'alice', since }, new AbortController().signal, listen);
    const views = following[Symbol.asyncIterator]();
    expect((await views.next()).value).toEqual({ kind: 'hinted' });
    expect(slurm.asked).toEqual(['squeue']);
    await until(async () => (await views.next()).value?.kind === 'unanswered');
    slurm.accountingBroken = false;
    slurm.accounted = [1];
    await until(async () => (await views.next()).value?.kind === 'job');
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
    const following = poller.follow({ id: '1', user: 'alice', since }, new AbortController().signal);
    const views = following[Symbol.asyncIterator]();
    const silence = { kind: 'unanswered', asked: 'squeue', error: { message: 'slurmctld does not answer' } };
    expect((await views.next()).value).toMatchObject(silence);
    await until(() => slurm.asked.length > 3);
    expect(poller.trouble()?.message).toBe('slurmctld does not answer');
    slurm.broken = false;
    await until(() => poller.trouble() === undefined);
    const told = async (): Promise<JobView> => ((await views.next()).value ?? { kind: 'gone' }) as JobView;
    let view = await told();
    while (view.kind === 'unanswered') view = await told();
    expect(view).toMatchObject({ kind: 'job', job: { id: '1' } });
    await views.return?.();
  });

  it('asks the accounting in columns where there is no JSON, and tries JSON once', async () => {
    const slurm = playSlurm();
    slurm.accounted = [1];
    slurm.hasJson = false;
    open(slurm, 1);
    expect(await first(1)).toMatchObject({ kind: 'job', job: { id: '1', states: ['COMPLETED'] } });
    await first(1);
    await first(1);
    expect(slurm.forms.filter((form) => form === 'json')).toHaveLength(1);
    expect(slurm.forms.filter((form) => form === 'text').length).toBeGreaterThan(3);
  });

  it('tells of what the queue knows while the accounting is away, and of the rest that nothing is known', async () => {
    const slurm = playSlurm();
    slurm.queued = [1];
    slurm.accountingBroken = true;
    open(slurm, 60_000);
    const views = await Promise.all([1, 2].map(async (id) => await first(id)));
    expect(views).toMatchObject([{ kind: 'job' }, { kind: 'unanswered', asked: 'sacct' }]);
  });

  it('tells of the jobs, and asks less often, where Slurm says that it is asked too often', async () => {
    const slurm = playSlurm();
    slurm.queued = [1];
    slurm.said = 'squeue: RPC rate limited 3 time(s). Sleeping then trying again.';
    open(slurm, 60_000);
    expect(await first(1)).toMatchObject({
      kind: 'job',
      slowed: 'squeue: RPC rate limited 3 time(s). Sleeping then trying again.',
    });
    expect(poller.trouble()?.message).toContain('rate limited');
  });

  it('asks the accounting once for all that have ended', async () => {
    const slurm = playSlurm();
    slurm.accounted = Array.from({ length: 200 }, (_, index) => index + 1);
    open(slurm, 60_000);
    const job = (id: number) => ({ id: String(id), user: 'alice', since });
    const books = await Promise.all(slurm.accounted.map(async (id) => await poller.account(job(id), 5_000)));
    expect(books.every((records) => records?.[0]?.accounting?.elapsedMs === 7_000)).toBe(true);
    expect(slurm.asked).toEqual(['sacct']);
  });

  it('asks the accounting in parts for more jobs than fit into one question', async () => {
    const slurm = playSlurm();
    slurm.accounted = [67_000_000, 67_015_999];
    open(slurm, 1);
    const ids = Array.from({ length: 16_000 }, (_, index) => index + 67_000_000);
    const views = await Promise.all(ids.map(async (id) => await first(id)));
    expect(views.flatMap((view) => (view?.kind === 'job' ? view.job.ownId : []))).toEqual(slurm.accounted);
    expect(views.filter((view) => view?.kind === 'gone')).toHaveLength(15_998);
  });

  it('gives up on no books that it has not asked for, however seldom it asks', async () => {
    const slurm = playSlurm();
    slurm.accounted = [1, 2];
    open(slurm, 300);
    const books = async (id: string) => await poller.account({ id, user: 'alice', since }, 1);
    expect(await books('1')).toHaveLength(1);
    // It has just asked, and asks again when the interval is over.
    expect(await books('2')).toHaveLength(1);
  });

  it('gives up on the books of a job when the accounting stays away, and does not wait without end', async () => {
    const slurm = playSlurm();
    slurm.accountingBroken = true;
    open(slurm, 1);
    expect(await poller.account({ id: '1', user: 'alice', since }, 300)).toBeUndefined();
  });
});
