/** Every transition of a message, the same against a plain Redis and against a cluster, where a cross-slot script fails. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Wait } from '../../src/executions/execution.ts';
import type { NewsItem } from '../../src/mailbox/news.ts';
import {
  aHandle,
  aMessage,
  anActorDraft,
  anIntent,
  aSettlement,
  type MailboxBench,
  manyWorkers,
  openMailboxBench,
  place,
  secret,
} from './mailbox-bench.ts';
import type { TestRedis } from './redis-server.ts';
import { until } from './until.ts';

const worker = { workerId: 'w1', leaseMs: 60_000, workersPerActor: manyWorkers };
/** A lease that has run out when it begins. */
const dead = { ...worker, leaseMs: 0 };
const successor = { workerId: 'w2', leaseMs: 60_000, places: [place] };
const aWait: Wait = { cause: 'the engine is away', since: new Date(5), owner: 'operator', next: 'it is tried again' };

export function describeMailbox(server: () => Promise<TestRedis>): void {
  let redis: TestRedis;
  let bench: MailboxBench;
  const heard: NewsItem[] = [];

  beforeAll(async () => {
    redis = await server();
    bench = await openMailboxBench(redis.url);
    bench.news.listen((item) => heard.push(item));
  });

  afterAll(async () => {
    await bench[Symbol.asyncDispose]();
    await redis[Symbol.asyncDispose]();
  });

  const waiting = async (actor: Parameters<MailboxBench['post']>[0]): Promise<readonly string[]> =>
    await bench.redis.zrange(bench.keysOf(actor).mailbox, '0', '-1');

  describe('post', () => {
    it('keeps message, execution and place in one step, and says so', async () => {
      const actor = await bench.newActor();
      const id = await bench.post(actor, 'hello');
      expect(await waiting(actor)).toEqual([id]);
      expect(await bench.executions.get(actor, id)).toMatchObject({
        state: 'submitted',
        executor: 'alice',
        attempt: 0,
      });
      await until(() => heard.some((item) => item.kind === 'posted' && item.executionId === id));
    });

    it('keeps bytes as they are, NUL and broken UTF-8 among them', async () => {
      const actor = await bench.newActor();
      const bytes = Buffer.from([0, 0xff, 0xc3, 0x28, 10, 13, 0]);
      const message = { ...aMessage(), contentType: 'application/octet-stream' as const, body: { inline: bytes } };
      await bench.mailbox.post(actor, { executionId: bench.ids.next(), message });
      const claimed = await bench.claim(actor);
      expect(claimed.message).toMatchObject({ contentType: 'application/octet-stream', body: { inline: bytes } });
    });

    it('refuses an id that was used, an actor that is not there, and a full mailbox', async () => {
      const actor = await bench.newActor();
      const executionId = await bench.post(actor);
      const post = { executionId, message: aMessage() };
      expect(await bench.mailbox.post(actor, post)).toEqual({ kind: 'used-id' });
      expect(await bench.mailbox.post({ tenant: 'DEV', actorId: 'nobody' }, post)).toEqual({ kind: 'gone' });
      const full = bench.mailboxWith({ maxWaiting: 1 });
      expect(await full.post(actor, { ...post, executionId: bench.ids.next() })).toEqual({ kind: 'full' });
      expect(await waiting(actor)).toEqual([executionId]);
    });

    it('keeps actors of the same id in two tenants apart', async () => {
      const mine = await bench.newActor({ tenant: 'MINE', id: 'same' });
      const theirs = await bench.newActor({ tenant: 'THEIRS', id: 'same' });
      const id = await bench.post(mine);
      expect(await waiting(theirs)).toEqual([]);
      expect(await bench.executions.get(theirs, id)).toBeUndefined();
    });
  });

  describe('postMany', () => {
    const many = (...texts: string[]) =>
      texts.map((text) => ({ executionId: bench.ids.next(), message: aMessage(text) }));

    it('posts in the order given, behind what waits, and wakes a worker when nothing did', async () => {
      const actor = await bench.newActor();
      const first = many('a', 'b');
      expect((await bench.mailbox.postMany(actor, first, {})).map(({ kind }) => kind)).toEqual(['posted', 'posted']);
      await until(() => heard.some((item) => item.kind === 'posted' && item.executionId === first[0]?.executionId));
      const alone = await bench.post(actor, 'c');
      const more = many('d');
      await bench.mailbox.postMany(actor, more, {});
      const ids = [...first.map((one) => one.executionId), alone, ...more.map((one) => one.executionId)];
      expect(await waiting(actor)).toEqual(ids);
      const owed = await bench.mailbox.owed(actor, 10);
      expect(owed.flatMap(({ executionId }) => executionId ?? [])).toEqual(ids);
      for (const id of ids) expect(await bench.executions.get(actor, id)).toMatchObject({ state: 'submitted' });
    });

    it('refuses each as post would', async () => {
      const actor = await bench.newActor();
      const [one] = many('a');
      if (!one) throw new Error('There is one');
      const key = { key: 'k', caller: 'alice', digest: 'd' };
      const outcomes = await bench.mailbox.postMany(
        actor,
        [one, one, { ...one, executionId: bench.ids.next(), idempotency: key }],
        {},
      );
      expect(outcomes.map(({ kind }) => kind)).toEqual(['posted', 'used-id', 'posted']);
      const again = await bench.mailbox.post(actor, { ...one, executionId: bench.ids.next(), idempotency: key });
      expect(again).toMatchObject({ kind: 'replayed' });
      expect(again).toMatchObject(
        outcomes[2] && 'executionId' in outcomes[2] ? { executionId: outcomes[2].executionId } : {},
      );
      const stranger = await bench.mailbox.postMany(actor, many('a'), { user: 'stranger' });
      expect(stranger).toEqual([{ kind: 'forbidden' }]);
      const nobody = { ...actor, actorId: bench.ids.next() };
      expect(await bench.mailbox.postMany(nobody, many('a'), {})).toEqual([{ kind: 'gone' }]);
    });
  });

  describe('post with an Idempotency-Key', () => {
    const keyed = (digest = 'd', caller = 'alice') => ({
      executionId: bench.ids.next(),
      message: aMessage(),
      idempotency: { key: 'k', caller, digest },
    });

    it('gives the first execution again, and posts nothing', async () => {
      const actor = await bench.newActor();
      const first = keyed();
      await bench.mailbox.post(actor, first);
      expect(await bench.mailbox.post(actor, keyed())).toEqual({
        kind: 'replayed',
        executionId: first.executionId,
        owner: 'alice',
      });
      expect(await waiting(actor)).toEqual([first.executionId]);
    });

    it('refuses the key with another request, and changes nothing', async () => {
      const actor = await bench.newActor();
      await bench.mailbox.post(actor, keyed());
      expect(await bench.mailbox.post(actor, keyed('other'))).toEqual({ kind: 'conflict' });
      expect(await waiting(actor)).toHaveLength(1);
    });

    it('is each caller’s own, and each actor’s', async () => {
      const [one, other] = [await bench.newActor(), await bench.newActor()];
      expect(await bench.mailbox.post(one, keyed())).toMatchObject({ kind: 'posted' });
      expect(await bench.mailbox.post(one, keyed('d', 'bob'))).toMatchObject({ kind: 'posted' });
      expect(await bench.mailbox.post(other, keyed())).toMatchObject({ kind: 'posted' });
    });

    it('replays during a full mailbox and while the actor is being deleted', async () => {
      const actor = await bench.newActor();
      const first = keyed();
      await bench.mailbox.post(actor, first);
      const full = bench.mailboxWith({ maxWaiting: 1 });
      expect(await full.post(actor, keyed())).toMatchObject({ kind: 'replayed' });
      await bench.actors.remove(actor);
      expect(await full.post(actor, keyed())).toMatchObject({ kind: 'replayed' });
    });

    it('is kept without end while the execution lives, and for a time after it', async () => {
      const actor = await bench.newActor();
      await bench.mailbox.post(actor, keyed());
      const [key = ''] = await bench.redis.keys(`*{DEV:${actor.actorId}}:i:*`);
      expect(await bench.redis.pttl(key)).toBe(-1);
      const { lease } = await bench.claim(actor);
      await bench.mailbox.settle(lease, aSettlement());
      expect(await bench.redis.pttl(key)).toBeGreaterThan(0);
    });

    it('is gone when its time has passed', async () => {
      const actor = await bench.newActor();
      const brief = bench.mailboxWith({ idempotencyKeepMs: 1 });
      await brief.post(actor, keyed());
      const { lease } = await bench.claim(actor);
      await brief.settle(lease, aSettlement());
      await until(async () => (await brief.post(actor, keyed())).kind === 'posted');
      expect(await waiting(actor)).toHaveLength(1);
    });
  });

  describe('claim', () => {
    it('takes the oldest first', async () => {
      const actor = await bench.newActor();
      const ids = [await bench.post(actor), await bench.post(actor), await bench.post(actor)];
      const claimed = [await bench.claim(actor), await bench.claim(actor), await bench.claim(actor)];
      expect(claimed.map(({ lease }) => lease.executionId)).toEqual(ids);
      expect(await bench.mailbox.claim(actor, worker)).toEqual({ kind: 'empty' });
    });

    it('gives each lease a fence higher than any before', async () => {
      const actor = await bench.newActor();
      const id = await bench.post(actor);
      const fences: number[] = [];
      for (let count = 0; count < 4; count += 1) {
        const { lease } = await bench.claim(actor);
        fences.push(lease.fence);
        expect(lease.executionId).toBe(id);
        await bench.mailbox.giveBack(lease);
      }
      expect(fences).toEqual(fences.toSorted((a, b) => a - b));
      expect(new Set(fences).size).toBe(4);
    });

    it('holds one message of a stateful actor at a time', async () => {
      const actor = await bench.newActor({ stateless: false, maxWorkers: 5 });
      const [first, second] = [await bench.post(actor), await bench.post(actor)];
      const { lease } = await bench.claim(actor);
      expect(lease.executionId).toBe(first);
      expect(await bench.mailbox.claim(actor, worker)).toEqual({ kind: 'busy' });
      await bench.mailbox.settle(lease, aSettlement());
      expect((await bench.claim(actor)).lease.executionId).toBe(second);
    });

    it('holds no more than the actor’s own limit, else the given one', async () => {
      const own = await bench.newActor({ maxWorkers: 2 });
      const given = await bench.newActor();
      for (const actor of [own, given]) for (let count = 0; count < 4; count += 1) await bench.post(actor);
      await bench.claim(own);
      await bench.claim(own);
      expect(await bench.mailbox.claim(own, worker)).toEqual({ kind: 'busy' });
      await bench.claim(given);
      expect(await bench.mailbox.claim(given, { ...worker, workersPerActor: 1 })).toEqual({ kind: 'busy' });
    });

    it('holds as many as workers were asked for, above any limit but that of a stateful actor', async () => {
      const own = await bench.newActor({ maxWorkers: 1 });
      const given = await bench.newActor();
      const stateful = await bench.newActor({ stateless: false });
      const asked = { ...worker, workersPerActor: 1, wanted: 2 };
      for (const actor of [own, given, stateful]) for (let count = 0; count < 3; count += 1) await bench.post(actor);
      for (const actor of [own, given]) {
        await bench.claim(actor);
        expect(await bench.mailbox.claim(actor, asked)).toMatchObject({ kind: 'leased' });
        expect(await bench.mailbox.claim(actor, asked)).toEqual({ kind: 'busy' });
      }
      await bench.claim(stateful);
      expect(await bench.mailbox.claim(stateful, asked)).toEqual({ kind: 'busy' });
    });

    it('waits for an actor that is not ready, and says when it is gone', async () => {
      const actor = await bench.newActor({ ready: false });
      await bench.post(actor);
      expect(await bench.mailbox.claim(actor, worker)).toEqual({ kind: 'paused' });
      await bench.actors.markError(actor, 1, 'no such image');
      expect(await bench.mailbox.claim(actor, worker)).toEqual({ kind: 'paused' });
      expect(await bench.mailbox.claim({ tenant: 'DEV', actorId: 'nobody' }, worker)).toEqual({ kind: 'gone' });
    });

    it('brings the actor as it is now, also when it changed since the last claim', async () => {
      const actor = await bench.newActor({ description: 'before' });
      for (let count = 0; count < 3; count += 1) await bench.post(actor);
      const described = async (): Promise<unknown> => {
        const outcome = await bench.mailbox.claim(actor, worker);
        return outcome.kind === 'leased' ? [outcome.actor.description, outcome.waiting] : outcome;
      };
      expect(await described()).toEqual(['before', 2]);
      expect(await described()).toEqual(['before', 1]);
      await bench.actors.replace({ ...anActorDraft(), id: actor.actorId, description: 'after' }, false);
      expect(await described()).toEqual(['after', 0]);
    });

    it('costs as many commands of Redis behind 2,000 messages as behind 2', async () => {
      const cost = async (count: number): Promise<number> => {
        const actor = await bench.newActor();
        await Promise.all(Array.from({ length: count }, () => bench.post(actor)));
        await bench.claim(actor);
        await bench.redis.config('RESETSTAT');
        await bench.claim(actor);
        const stats = await bench.redis.info('commandstats');
        const calls = [...stats.matchAll(/^cmdstat_(?!evalsha|config)\S+?:calls=(\d+)/gm)];
        return calls.reduce((sum, [, number]) => sum + Number(number), 0);
      };
      expect(await cost(2_000)).toBe(await cost(2));
    });
  });

  describe('giveBack', () => {
    it('puts the message where it stood, with the reason', async () => {
      const actor = await bench.newActor();
      const ids = [await bench.post(actor), await bench.post(actor)];
      const { lease } = await bench.claim(actor);
      expect(await bench.mailbox.giveBack(lease, aWait)).toBe('given-back');
      expect(await waiting(actor)).toEqual(ids);
      expect((await bench.executions.get(actor, ids[0] ?? ''))?.wait).toEqual(aWait);
      expect(await bench.mailbox.load(actor)).toMatchObject({ waiting: 2, held: 0 });
    });

    it('is refused once something may have been started', async () => {
      const actor = await bench.newActor();
      await bench.post(actor);
      const { lease } = await bench.claim(actor);
      await bench.mailbox.recordIntent(lease, anIntent());
      expect(await bench.mailbox.giveBack(lease)).toBe('intended');
      expect(await waiting(actor)).toEqual([]);
    });
  });

  describe('the way to running', () => {
    it('records intent, handle and start, each readable by the next holder', async () => {
      const actor = await bench.newActor();
      const id = await bench.post(actor);
      const { lease } = await bench.claim(actor);
      expect(await bench.mailbox.recordIntent(lease, anIntent())).toBe('recorded');
      expect(await bench.mailbox.noteWait(lease, aWait, true)).toBe(1);
      await until(() => heard.some((item) => item.kind === 'wait' && item.executionId === lease.executionId));
      expect(await bench.mailbox.recordHandle(lease, aHandle(lease))).toBe('recorded');
      expect(await bench.mailbox.running(lease, new Date(7), 'node1')).toBe('running');
      const running = { state: 'running', startedAt: new Date(7), node: 'node1', launcher: place, attempt: 1 };
      expect(await bench.executions.get(actor, id)).toMatchObject(running);
      expect((await bench.executions.get(actor, id))?.wait).toBeUndefined();
      await bench.mailbox.extend({ ...lease, leaseMs: 0 });
      const adopted = await bench.mailbox.adopt(actor, successor);
      expect(adopted).toMatchObject({
        kind: 'adopted',
        claimed: { handle: aHandle(lease), intent: { attempt: 1, launcher: place }, startFailures: 1 },
      });
    });

    it('owes the removal of an attempt that another follows', async () => {
      const actor = await bench.newActor();
      const id = await bench.post(actor);
      const { lease } = await bench.claim(actor);
      await bench.mailbox.recordIntent(lease, anIntent(1));
      await bench.mailbox.recordHandle(lease, aHandle(lease, 1));
      await bench.mailbox.recordIntent(lease, anIntent(2));
      expect(await bench.mailbox.cleanups(actor)).toMatchObject([
        { executionId: id, attempt: 1, launcher: place, owner: 'alice' },
      ]);
      await bench.mailbox.extend({ ...lease, leaseMs: 0 });
      const adopted = await bench.mailbox.adopt(actor, successor);
      expect(adopted).toMatchObject({ claimed: { intent: { attempt: 2 } } });
      expect(adopted).not.toHaveProperty('claimed.handle');
    });

    it('takes results in order, each once however often it is sent, and hands each to one reader', async () => {
      const actor = await bench.newActor();
      const id = await bench.post(actor);
      const { lease } = await bench.claim(actor);
      const bodies = ['a', 'b', 'c'].map((text) => ({ inline: Buffer.from(text) }));
      expect(await bench.mailbox.appendResults(lease, 0, bodies.slice(0, 2))).toBe(2);
      expect(await bench.mailbox.appendResults(lease, 1, bodies.slice(1))).toBe(3);
      const taken = await Promise.all(Array.from({ length: 5 }, () => bench.executions.takeResult(actor, id)));
      expect(taken.filter((body) => body !== undefined)).toEqual(bodies);
    });
  });

  describe('cancel', () => {
    it('reaches the holder of a running execution', async () => {
      const actor = await bench.newActor();
      const id = await bench.post(actor);
      const { lease } = await bench.claim(actor);
      await bench.mailbox.recordIntent(lease, anIntent());
      await bench.mailbox.running(lease, new Date(), 'n');
      expect(await bench.mailbox.extend(lease)).toBe('extended');
      expect(await bench.mailbox.cancel(actor, id)).toBe('requested');
      expect(await bench.mailbox.cancel(actor, id)).toBe('requested');
      expect(await bench.mailbox.extend(lease)).toBe('cancel');
      await until(() => heard.some((item) => item.kind === 'cancel' && item.executionId === id));
    });

    it('says the state of what does not run, and asks for a submitted one only when told so', async () => {
      const actor = await bench.newActor();
      const id = await bench.post(actor);
      const { lease } = await bench.claim(actor);
      expect(await bench.mailbox.cancel(actor, id)).toBe('submitted');
      expect(await bench.mailbox.cancel(actor, id, true)).toBe('requested');
      expect(await bench.mailbox.recordIntent(lease, anIntent())).toBe('cancelled');
      await bench.mailbox.settle(lease, aSettlement({ end: 'cancelled' }));
      expect(await bench.mailbox.cancel(actor, id)).toBe('complete');
      expect(await bench.mailbox.cancel(actor, 'nobody')).toBe('unknown');
    });
  });

  describe('settle', () => {
    it('ends once: state, log, outbox and cleanup entry in one step', async () => {
      const actor = await bench.newActor();
      const id = await bench.post(actor);
      const { lease } = await bench.claim(actor);
      await bench.mailbox.recordIntent(lease, anIntent());
      const usage = { cpuMs: 5, maxMemoryBytes: 6, ioBytes: 7, runtimeMs: 8 };
      expect(await bench.mailbox.settle(lease, aSettlement({ exitCode: 3, usage }))).toBe('settled');
      expect(await bench.mailbox.settle(lease, aSettlement({ exitCode: 4 }))).toBe('lost');
      expect(await bench.executions.get(actor, id)).toMatchObject({
        state: 'complete',
        exitCode: 3,
        usage,
      });
      expect(await bench.executions.log(actor, id)).toMatchObject({ body: { inline: Buffer.from('a log') } });
      expect(await bench.mailbox.load(actor)).toMatchObject({ waiting: 0, held: 0, cleanups: 1 });
      expect((await bench.mailbox.owed(actor, 10)).filter((entry) => entry.executionId === id)).toHaveLength(1);
      await until(() => heard.filter((item) => item.kind === 'ended' && item.executionId === id).length === 1);
    });

    it.each([
      ['lost', 'error'],
      ['launch-failed', 'error'],
      ['exited', 'complete'],
      ['cancelled', 'complete'],
      ['time-limit', 'complete'],
      ['out-of-memory', 'complete'],
    ] as const)('of an execution that is %s leads to %s', async (end, state) => {
      const actor = await bench.newActor();
      const id = await bench.post(actor);
      await bench.mailbox.settle((await bench.claim(actor)).lease, aSettlement({ end, detail: 'why' }));
      expect(await bench.executions.get(actor, id)).toMatchObject({ state, end, endDetail: 'why' });
    });

    it('ends the rights of its token', async () => {
      const actor = await bench.newActor();
      const id = await bench.post(actor);
      const { lease } = await bench.claim(actor);
      await bench.mailbox.recordIntent(lease, anIntent());
      expect(await bench.executions.authenticate(actor, id, secret)).toBe(true);
      expect(await bench.executions.authenticate(actor, id, 'another')).toBe(false);
      await bench.mailbox.settle(lease, aSettlement());
      expect(await bench.executions.authenticate(actor, id, secret)).toBe(false);
    });
  });

  describe('a lease that ran out', () => {
    it('leaves a message without an intent at its old place', async () => {
      const actor = await bench.newActor();
      const ids = [await bench.post(actor), await bench.post(actor)];
      const { lease } = await bench.claim(actor, 'w1', 0);
      expect(await bench.mailbox.adopt(actor, successor)).toEqual({ kind: 'returned', executionId: lease.executionId });
      expect(await waiting(actor)).toEqual(ids);
      expect(await bench.mailbox.adopt(actor, successor)).toEqual({ kind: 'none' });
    });

    it('leaves an intended one to be launched with the same attempt, under a higher fence', async () => {
      const actor = await bench.newActor();
      await bench.post(actor);
      const { lease } = await bench.claim(actor);
      await bench.mailbox.recordIntent(lease, anIntent());
      expect(await bench.mailbox.adopt(actor, successor)).toEqual({ kind: 'none' });
      await bench.mailbox.extend({ ...lease, leaseMs: 0 });
      const adopted = await bench.mailbox.adopt(actor, successor);
      expect(adopted).toMatchObject({ kind: 'adopted', claimed: { intent: { attempt: 1 } } });
      if (adopted.kind === 'adopted') expect(adopted.claimed.lease.fence).toBeGreaterThan(lease.fence);
      expect(await bench.mailbox.adopt(actor, successor)).toEqual({ kind: 'none' });
    });

    it('is left to those who reach the place of its intent', async () => {
      const actor = await bench.newActor();
      await bench.post(actor);
      const { lease } = await bench.claim(actor);
      await bench.mailbox.recordIntent(lease, anIntent());
      await bench.mailbox.extend({ ...lease, leaseMs: 0 });
      expect(await bench.mailbox.adopt(actor, { ...successor, places: ['local@there'] })).toEqual({ kind: 'none' });
      expect(await bench.mailbox.adopt(actor, successor)).toMatchObject({ kind: 'adopted' });
    });

    it('is found behind any number of those whose place nobody here reaches', async () => {
      const actor = await bench.newActor();
      for (let count = 0; count < 65; count += 1) {
        await bench.post(actor);
        const { lease } = await bench.claim(actor);
        await bench.mailbox.recordIntent(lease, { ...anIntent(), launcher: 'local@dead' });
        await bench.mailbox.extend({ ...lease, leaseMs: -10_000 });
      }
      await bench.post(actor);
      const { lease } = await bench.claim(actor);
      await bench.mailbox.recordIntent(lease, anIntent());
      await bench.mailbox.extend({ ...lease, leaseMs: 0 });
      const adopted = await bench.mailbox.adopt(actor, { ...successor, places: [place] });
      expect(adopted).toMatchObject({ kind: 'adopted', claimed: { lease: { executionId: lease.executionId } } });
      expect(await bench.mailbox.adopt(actor, { ...successor, places: [place] })).toEqual({ kind: 'none' });
    });

    it('shuts its holder out of every transition', async () => {
      const actor = await bench.newActor();
      const id = await bench.post(actor);
      const { lease: late } = await bench.claim(actor);
      await bench.mailbox.recordIntent(late, anIntent());
      await bench.mailbox.extend({ ...late, leaseMs: 0 });
      await bench.mailbox.adopt(actor, successor);
      const before = await bench.redis.hgetall(bench.keysOf(actor).execution(id));
      const { mailbox } = bench;
      expect(await mailbox.extend(late)).toBe('lost');
      expect(await mailbox.giveBack(late)).toBe('lost');
      expect(await mailbox.recordIntent(late, anIntent(2))).toBe('lost');
      expect(await mailbox.recordHandle(late, aHandle(late))).toBe('lost');
      expect(await mailbox.running(late, new Date(), 'n')).toBe('lost');
      expect(await mailbox.noteWait(late, aWait, true)).toBe('lost');
      expect(await mailbox.appendResults(late, 0, [{ inline: Buffer.from('late') }])).toBe('lost');
      expect(await mailbox.settle(late, aSettlement())).toBe('lost');
      expect(await bench.redis.hgetall(bench.keysOf(actor).execution(id))).toEqual(before);
      expect(await mailbox.load(actor)).toMatchObject({ held: 1, cleanups: 0 });
    });

    it('shuts its holder out also after the end', async () => {
      const actor = await bench.newActor();
      await bench.post(actor);
      const { lease } = await bench.claim(actor);
      await bench.mailbox.recordIntent(lease, anIntent());
      await bench.mailbox.settle(lease, aSettlement());
      expect(await bench.mailbox.recordHandle(lease, aHandle(lease))).toBe('ended');
      expect(await bench.mailbox.extend(lease)).toBe('lost');
      expect(await bench.mailbox.claim(actor, dead)).toEqual({ kind: 'empty' });
    });
  });

  describe('purge', () => {
    it('ends what waits as cancelled, so many at a time, and leaves what is held', async () => {
      const actor = await bench.newActor();
      const [held, ...rest] = [await bench.post(actor), await bench.post(actor), await bench.post(actor)];
      await bench.claim(actor);
      expect(await bench.mailbox.purge(actor, 1)).toEqual({ ended: 1, waiting: 1 });
      expect(await bench.mailbox.purge(actor, 10)).toEqual({ ended: 1, waiting: 0 });
      for (const id of rest) {
        expect(await bench.executions.get(actor, id)).toMatchObject({ state: 'complete', end: 'cancelled' });
      }
      expect(await bench.executions.get(actor, held ?? '')).toMatchObject({ state: 'submitted' });
    });
  });

  describe('the state of an actor', () => {
    it('is refused from an execution that has ended, and of a stateless actor', async () => {
      const actor = await bench.newActor({ stateless: false });
      const id = await bench.post(actor);
      const { lease } = await bench.claim(actor);
      expect(await bench.actors.setState(actor, '{"count":1}', { executionId: id })).toBe(1);
      await bench.mailbox.settle(lease, aSettlement());
      expect(await bench.actors.setState(actor, '{"count":2}', { executionId: id })).toBe('ended');
      expect(await bench.actors.state(actor)).toEqual({ count: 1 });
      expect(await bench.actors.setState(actor, '{"count":3}')).toBe(2);
      expect(await bench.actors.setState(await bench.newActor(), '{}')).toBe('stateless');
    });
  });

  describe('the preparation of a revision', () => {
    it('is decided by the first digest, and news of an older revision is refused', async () => {
      const actor = await bench.newActor();
      expect(await bench.actors.markReady(actor, 1, 'sha256:1')).toBe('stale');
      await bench.actors.replace({ ...anActorDraft(), id: actor.actorId }, true);
      await bench.post(actor);
      expect(await bench.mailbox.claim(actor, worker)).toEqual({ kind: 'paused' });
      expect(await bench.actors.markReady(actor, 1, 'sha256:1')).toBe('stale');
      expect(await bench.actors.markReady(actor, 2, 'sha256:2')).toBe('marked');
      expect(await bench.mailbox.claim(actor, worker)).toMatchObject({ actor: { revision: 2, digest: 'sha256:2' } });
    });
  });

  describe('postCaused', () => {
    const cause = (number: number): Parameters<MailboxBench['mailbox']['postCaused']>[1] => ({
      executionId: bench.ids.next(),
      message: { ...aMessage('caused'), body: { inline: Buffer.from('caused') } },
      cause: { name: 'event of another', number },
      via: ['another'],
    });

    it('keeps the message of a cause once, and none of an earlier one after it', async () => {
      const actor = await bench.newActor();
      const { mailbox } = bench;
      expect(await mailbox.postCaused(actor, cause(7))).toBe('posted');
      expect(await mailbox.postCaused(actor, cause(7))).toBe('repeated');
      expect(await mailbox.postCaused(actor, cause(6))).toBe('repeated');
      expect(await mailbox.postCaused(actor, { ...cause(6), cause: { name: 'schedule', number: 6 } })).toBe('posted');
      expect(await mailbox.postCaused(actor, cause(8))).toBe('posted');
      expect(await waiting(actor)).toHaveLength(3);
    });

    it('still knows it when the message has run and the history has it', async () => {
      const actor = await bench.newActor();
      expect(await bench.mailbox.postCaused(actor, cause(1))).toBe('posted');
      await bench.mailbox.settle((await bench.claim(actor)).lease, aSettlement());
      for (const entry of await bench.mailbox.owed(actor, 10)) await bench.mailbox.drained(actor, entry);
      expect(await bench.mailbox.postCaused(actor, cause(1))).toBe('repeated');
    });

    it('keeps nothing in a full mailbox, so that it can be told again, and nothing of an actor that is gone', async () => {
      const actor = await bench.newActor();
      await bench.post(actor);
      expect(await bench.mailboxWith({ maxWaiting: 1 }).postCaused(actor, cause(1))).toBe('full');
      expect(await bench.mailbox.postCaused(actor, cause(1))).toBe('posted');
      expect(await bench.mailbox.postCaused({ tenant: 'DEV', actorId: 'nobody' }, cause(1))).toBe('gone');
    });
  });

  describe('events', () => {
    const typesOf = async (actor: Parameters<MailboxBench['post']>[0], list: 'linkEvents' | 'webhookEvents') => {
      const entries = await bench.redis.lrange(bench.keysOf(actor)[list], 0, -1);
      return entries.map((entry) => JSON.parse(entry) as object);
    };

    it('are owed with the change they tell of, to link and webhook apart, and said', async () => {
      const actor = await bench.newActor({ link: 'other', webhook: 'http://hook' });
      const id = await bench.post(actor);
      await bench.mailbox.settle((await bench.claim(actor)).lease, aSettlement({ exitCode: 3 }));
      const to = { link: 'other', webhook: 'http://hook', at: expect.any(Number) as number };
      const expected = [
        { ...to, number: 1, kind: 'ready', message: ' ' },
        { ...to, number: 2, kind: 'ended', execution: id, state: 'complete', exitCode: '3' },
      ];
      expect(await typesOf(actor, 'linkEvents')).toEqual(expected);
      expect(await typesOf(actor, 'webhookEvents')).toEqual(expected);
      expect(await bench.mailbox.load(actor)).toMatchObject({ owesEvents: true });
      await until(() => heard.some((item) => item.kind === 'event' && item.actorId === actor.actorId));
    });

    it('are none where nobody is to be told, or nothing has come to an end', async () => {
      const plain = await bench.newActor();
      await bench.post(plain);
      await bench.mailbox.settle((await bench.claim(plain)).lease, aSettlement());
      const purged = await bench.newActor({ link: 'other', ready: false });
      await bench.post(purged);
      await bench.mailbox.purge(purged, 10);
      for (const actor of [plain, purged]) expect(await bench.mailbox.load(actor)).toMatchObject({ owesEvents: false });
    });

    it('name the actors that led to the execution', async () => {
      const actor = await bench.newActor({ link: 'other', ready: false });
      await bench.actors.markReady(actor, 1, 'sha256:0');
      const message = { ...aMessage(), body: { inline: Buffer.from('x') } };
      const executionId = bench.ids.next();
      await bench.mailbox.postCaused(actor, { executionId, message, cause: { name: 'c', number: 1 }, via: ['a', 'b'] });
      await bench.mailbox.settle((await bench.claim(actor)).lease, aSettlement());
      expect((await typesOf(actor, 'linkEvents'))[1]).toMatchObject({ via: 'a b' });
    });

    it('of a deleted actor are kept until they are told', async () => {
      const actor = await bench.newActor({ link: 'other' });
      await bench.actors.remove(actor);
      const outcomes = [];
      for (const entry of await bench.mailbox.owed(actor, 10)) outcomes.push(await bench.mailbox.drained(actor, entry));
      expect(outcomes).not.toContain('forgotten');
      await bench.redis.del(bench.keysOf(actor).linkEvents);
      expect(await bench.mailbox.drained(actor, { number: 0 })).toBe('forgotten');
    });
  });

  describe('a schedule', () => {
    it('moves on from the time it was read at, once', async () => {
      const settings = { cronSchedule: 'now + 1 hour', cronOn: true, cronNextEx: '2027-1-1 0' };
      const ref = await bench.newActor(settings);
      const actor = await bench.actors.get(ref.tenant, ref.actorId);
      if (!actor) throw new Error('It was just made');
      expect(actor).toMatchObject(settings);
      expect(await bench.actors.advanceSchedule(actor, '2027-1-1 1')).toBe('advanced');
      expect(await bench.actors.advanceSchedule(actor, '2027-1-1 1')).toBe('changed');
      expect(await bench.actors.get(ref.tenant, ref.actorId)).toMatchObject({ cronNextEx: '2027-1-1 1' });
    });
  });

  describe('deletion', () => {
    it('takes no more messages, waits for what is held, and leaves no key once the history has all', async () => {
      const actor = await bench.newActor({ stateless: false });
      await bench.actors.setState(actor, '{"count":1}');
      const id = await bench.post(actor);
      const { lease } = await bench.claim(actor);
      await bench.mailbox.recordIntent(lease, anIntent());
      expect(await bench.actors.remove(actor)).toBe('busy');
      const refused = await bench.mailbox.post(actor, { executionId: bench.ids.next(), message: aMessage() });
      expect(refused).toEqual({ kind: 'gone' });
      await bench.mailbox.settle(lease, aSettlement());
      expect(await bench.actors.remove(actor)).toBe('deleted');
      expect(await bench.actors.remove(actor)).toBe('gone');
      await bench.mailbox.cleanupDone(actor, { executionId: id, attempt: 1, launcher: place });
      const outcomes: string[] = [];
      for (const entry of await bench.mailbox.owed(actor, 10)) outcomes.push(await bench.mailbox.drained(actor, entry));
      expect(outcomes.at(-1)).toBe('forgotten');
      await bench.actors.forget(actor);
      expect(await bench.redis.keys(`*{DEV:${actor.actorId}}*`)).toEqual([]);
    });
  });

  describe('the outbox', () => {
    it('owes an actor that changed meanwhile again', async () => {
      const actor = await bench.newActor();
      const [entry] = await bench.mailbox.owed(actor, 1);
      await bench.actors.replace({ ...anActorDraft(), id: actor.actorId }, false);
      expect(await bench.mailbox.drained(actor, entry ?? { number: 0 })).toBe('changed');
      const [later] = await bench.mailbox.owed(actor, 1);
      expect(await bench.mailbox.drained(actor, later ?? { number: 0 })).toBe('drained');
      expect(await bench.mailbox.owed(actor, 1)).toEqual([]);
    });

    it('owes an execution from its post on, again when it runs and when it ends, and keeps it till then', async () => {
      const actor = await bench.newActor();
      const id = await bench.post(actor);
      const owed = async () => (await bench.mailbox.owed(actor, 10)).filter((entry) => entry.executionId === id);
      const drain = async () => {
        const [entry, ...more] = await owed();
        expect(more).toEqual([]);
        return await bench.mailbox.drained(actor, entry ?? expect.fail('nothing is owed'));
      };
      expect(await drain()).toBe('drained');
      expect(await owed()).toEqual([]);
      const { lease } = await bench.claim(actor);
      await bench.mailbox.running(lease, new Date(), 'node-1');
      const [before] = await owed();
      await bench.mailbox.settle(lease, aSettlement());
      expect(await bench.mailbox.drained(actor, before ?? expect.fail('nothing is owed'))).toBe('changed');
      expect(await bench.executions.get(actor, id)).toMatchObject({ state: 'complete' });
      expect(await drain()).toBe('drained');
      expect(await bench.executions.get(actor, id)).toBeUndefined();
      expect(await bench.mailbox.drained(actor, before ?? expect.fail('nothing is owed'))).toBe('gone');
    });

    it('owes an actor whose state was set', async () => {
      const actor = await bench.newActor({ stateless: false });
      for (const entry of await bench.mailbox.owed(actor, 10)) await bench.mailbox.drained(actor, entry);
      await bench.actors.setState(actor, '{"count":1}');
      expect(await bench.mailbox.owed(actor, 10)).toMatchObject([{ number: expect.any(Number) }]);
    });

    it('keeps an ended execution readable until the history has it', async () => {
      const actor = await bench.newActor();
      const id = await bench.post(actor);
      await bench.mailbox.settle((await bench.claim(actor)).lease, aSettlement());
      expect((await bench.executions.list(actor, 10)).executions.map((execution) => execution.id)).toEqual([id]);
      const owed = (await bench.mailbox.owed(actor, 10)).find((entry) => entry.executionId === id);
      await bench.mailbox.drained(actor, owed ?? { number: 0 });
      expect(await bench.executions.get(actor, id)).toBeUndefined();
    });
  });
}
