/** Which actor's messages a host takes next, on a real Redis; what runs them is played by the test. */

import pino from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Claimed } from '../../../src/executions/execution.ts';
import type { AttemptRef } from '../../../src/launcher/launcher.ts';
import type { LauncherEntry } from '../../../src/launcher/launcher-table.ts';
import type { ActorRef } from '../../../src/mailbox/keys.ts';
import { createRecovery } from '../../../src/workers/recovery.ts';
import { createSupervisor, type Supervisor, type SupervisorOptions } from '../../../src/workers/supervisor.ts';
import { createWorkerStore, type WorkerStore } from '../../../src/workers/worker-store.ts';
import { anIntent, aSettlement, type MailboxBench, openMailboxBench } from '../../support/mailbox-bench.ts';
import { programAvailable } from '../../support/program.ts';
import { startRedis, type TestRedis } from '../../support/redis-server.ts';
import { requireService } from '../../support/services.ts';
import { until } from '../../support/until.ts';

const runs = requireService('redis', await programAvailable('redis-server'));
const entry = { name: 'local', place: 'local@here', launcher: { capabilities: {} } } as unknown as LauncherEntry;

let redis: TestRedis;
let bench: MailboxBench;
let workers: WorkerStore;
let supervisor: Supervisor | undefined;
/** What was taken, in this order. */
let taken: Claimed['lease'][];
let held: Map<string, () => void>;
let mostAtOnce: number;
/** Nothing that is taken from then on is held. */
let isOver: boolean;
let prefixes = 0;

beforeAll(async () => {
  if (runs) redis = await startRedis();
});

afterEach(async () => {
  isOver = true;
  for (const release of held.values()) release();
  await supervisor?.stop();
  await bench[Symbol.asyncDispose]();
});

afterAll(async () => {
  await redis?.[Symbol.asyncDispose]();
});

async function openBench(): Promise<void> {
  prefixes += 1;
  bench = await openMailboxBench(redis.url, `test${prefixes}`);
  workers = createWorkerStore({ redis: bench.redis, prefix: `test${prefixes}` });
  [taken, held, mostAtOnce, supervisor, isOver] = [[], new Map(), 0, undefined, false];
}

/** @param holds - whether an execution of the actor runs until it is released. */
function makeSupervisor(
  settings: { readonly perHost?: number; readonly perActor?: number },
  holds: (actor: ActorRef) => boolean = () => false,
  {
    recovery = {},
    afterEnd = async () => {},
  }: {
    readonly recovery?: Partial<SupervisorOptions['recovery']>;
    /** What a worker does still when its execution has ended. */
    readonly afterEnd?: () => Promise<void>;
  } = {},
): Supervisor {
  let running = 0;
  const made = createSupervisor({
    ...bench,
    workers,
    launchers: { entries: [entry], byName: () => entry, byPlace: () => entry },
    gate: { waitOf: () => undefined, close: () => undefined, suspect: () => undefined },
    preparation: { begin: () => undefined, idle: async () => undefined },
    recovery: {
      adopt: async () => {},
      clean: async () => {},
      sweep: async () => {},
      idle: async () => {},
      ...recovery,
    },
    books: { idle: async () => undefined },
    schedules: { look: async () => undefined },
    events: { begin: () => undefined, deliver: async () => undefined, idle: async () => undefined },
    async run(_, { lease }) {
      running += 1;
      mostAtOnce = Math.max(mostAtOnce, running);
      taken.push(lease);
      if (holds(lease) && !isOver) await new Promise<void>((resolve) => held.set(lease.executionId, resolve));
      running -= 1;
      await bench.mailbox.settle(lease, aSettlement());
      await afterEnd();
      return 'settled';
    },
    nextWorkerId: () => bench.ids.next(),
    log: pino({ level: 'silent' }),
    settings: {
      hostId: 'here',
      perActor: 2,
      maxQueued: 100,
      perHost: 20,
      leaseMs: 60_000,
      // Whatever is not done before, no test waits for.
      sweepMs: 600_000,
      defaultLauncher: 'local',
      queues: {},
      ...settings,
    },
  });
  supervisor = made;
  return made;
}

async function newActor(messages: number, settings: Parameters<MailboxBench['newActor']>[0] = {}): Promise<ActorRef> {
  const actor = await bench.newActor(settings);
  for (let count = 0; count < messages; count += 1) await bench.post(actor);
  return actor;
}

const takenOf = ({ actorId }: ActorRef): number => taken.filter((lease) => lease.actorId === actorId).length;

describe.runIf(runs)('places of a host', () => {
  it('go in turn to actors whose messages wait, however many wait of one', async () => {
    await openBench();
    const [one, other] = [await newActor(8), await newActor(8)];
    await makeSupervisor({ perHost: 1 }).start();
    await until(() => taken.length === 16, { what: 'all messages' });
    for (let count = 1; count <= taken.length; count += 1) {
      const ofOne = taken.slice(0, count).filter(({ actorId }) => actorId === one.actorId).length;
      expect(Math.abs(2 * ofOne - count), `${count} taken`).toBeLessThanOrEqual(1);
    }
    expect([takenOf(other), mostAtOnce]).toEqual([8, 1]);
  });

  it('are given up by actors that fill them for one that has none', async () => {
    await openBench();
    const full = [await newActor(9), await newActor(9)];
    const made = makeSupervisor({ perHost: 4 }, (actor) => full.some(({ actorId }) => actorId === actor.actorId));
    await made.start();
    await until(() => held.size === 4, { what: 'a full host' });
    const late = await newActor(1);
    await made.sweep();
    const [first] = held.values();
    first?.();
    await until(() => takenOf(late) === 1, { what: 'the late one' });
    expect(mostAtOnce).toBe(4);
  });

  it('stay with the worker of an actor when no other waits', async () => {
    await openBench();
    await newActor(5);
    await newActor(0);
    await makeSupervisor({ perHost: 1 }).start();
    await until(() => taken.length === 5, { what: 'all messages' });
    expect(new Set(taken.map(({ workerId }) => workerId)).size).toBe(1);
  });

  it('are not kept for messages that may not be taken', async () => {
    await openBench();
    const ordered = await newActor(3, { stateless: false });
    // Another host has one of it.
    const { lease } = await bench.claim(ordered);
    const other = await newActor(6);
    await makeSupervisor({ perHost: 1 }).start();
    await until(() => takenOf(other) === 6, { what: 'those of the other' });
    expect(takenOf(ordered)).toBe(0);
    await bench.mailbox.settle(lease, aSettlement());
    await until(() => takenOf(ordered) === 2, { what: 'the ordered ones' });
  });
});

describe.runIf(runs)('workers that were asked for', () => {
  it('take messages above the limits of the actor and of all, also those that were there before', async () => {
    await openBench();
    const [limited, usual] = [await newActor(6, { maxWorkers: 1 }), await newActor(6)];
    const made = makeSupervisor({ perActor: 1 }, () => true);
    await made.start();
    await until(() => held.size === 2, { what: 'one of each' });
    for (const actor of [limited, usual]) await workers.want(actor, 3);
    await made.sweep();
    await until(() => held.size === 6, { what: 'three of each' });
    // The first two go on, and are held to the new limit like all.
    for (const release of [...held.values()].slice(0, 2)) release();
    await until(() => held.size === 8, { what: 'two more' });
    expect([takenOf(limited), takenOf(usual), mostAtOnce]).toEqual([4, 4, 6]);
  });

  it('are one less for each that was asked to stop', async () => {
    await openBench();
    const actor = await newActor(0);
    await workers.want(actor, 3);
    const made = makeSupervisor({});
    await made.start();
    const list = await until(async () => {
      const found = await workers.list(actor);
      return found.length === 3 ? found : undefined;
    });
    const id = list[0]?.id ?? '';
    // Asked for again it is one still.
    for (let count = 0; count < 2; count += 1) expect(await workers.requestStop(actor, id)).toBe(true);
    await made.sweep();
    await until(async () => !(await workers.list(actor)).some((record) => record.id === id), { what: 'its end' });
    await made.sweep();
    expect(await workers.list(actor)).toHaveLength(2);
    expect(await workers.wanted(actor)).toBe(2);
  });
});

describe.runIf(runs)('a worker that was asked to stop', () => {
  it('has a successor as soon as it has ended, also where nothing tells of the messages', async () => {
    await openBench();
    const actor = await newActor(2, { stateless: false });
    const cleanUp = Promise.withResolvers<void>();
    const made = makeSupervisor({}, () => taken.length === 1, {
      afterEnd: async () => await cleanUp.promise,
    });
    await made.start();
    await until(() => held.size === 1, { what: 'the first message' });
    const [{ id } = { id: '' }] = await workers.list(actor);
    await workers.requestStop(actor, id);
    await made.sweep();
    using ended = bench.news.next(({ kind }) => kind === 'ended', 20_000);
    for (const release of held.values()) release();
    await ended.come;
    await bench.news.caughtUp();
    cleanUp.resolve();
    await until(() => takenOf(actor) === 2, { what: 'the second message' });
    expect(taken[1]?.workerId).not.toBe(id);
  });
});

describe.runIf(runs)('a launcher that never answers', () => {
  /** An execution that has ended, whose container is still to be removed. */
  async function newLeftover(): Promise<ActorRef> {
    const actor = await newActor(1);
    const { lease } = await bench.claim(actor);
    await bench.mailbox.recordIntent(lease, anIntent());
    await bench.mailbox.settle(lease, aSettlement());
    return actor;
  }

  it('about what is to be removed keeps neither the start nor a sweep waiting, nor what others left', async () => {
    await openBench();
    const [stuck, other] = [await newLeftover(), await newLeftover()];
    const [hanging] = await bench.mailbox.cleanups(stuck);
    const asked: string[] = [];
    const launcher = {
      async remove({ executionId }: AttemptRef) {
        asked.push(executionId);
        if (executionId === hanging?.executionId) await new Promise(() => undefined);
      },
    };
    const staged = { ...entry, launcher } as unknown as LauncherEntry;
    const recovery = createRecovery({
      ...bench,
      launchers: { entries: [staged], byName: () => staged, byPlace: () => staged },
      run: async () => 'settled',
      nextWorkerId: () => bench.ids.next(),
      leaseMs: 60_000,
      log: pino({ level: 'silent' }),
      leaving: new AbortController().signal,
    });
    const crashed = await newActor(1);
    await bench.claim(crashed, 'dead', 0);
    const made = makeSupervisor({}, () => false, { recovery });
    await made.start();
    await until(() => takenOf(crashed) === 1, { what: 'what a crash left' });
    await until(async () => (await bench.mailbox.load(other)).cleanups === 0, { what: 'the removal of the other' });
    await made.sweep();
    const late = await newActor(1);
    await made.sweep();
    await until(() => takenOf(late) === 1, { what: 'what came later' });
    expect(asked.filter((id) => id === hanging?.executionId)).toHaveLength(1);
    expect((await bench.mailbox.load(stuck)).cleanups).toBe(1);
  });
});

describe.runIf(runs)('a look for strays', () => {
  it('keeps nothing waiting, however long it takes, and is one at a time', async () => {
    await openBench();
    const actor = await newActor(1);
    await bench.claim(actor, 'dead', 0);
    let looks = 0;
    const adopted: string[] = [];
    const recovery = {
      adopt: async ({ actorId }: ActorRef) => void adopted.push(actorId),
      sweep: async () => {
        looks += 1;
        await new Promise(() => undefined);
      },
    };
    const made = makeSupervisor({}, () => false, { recovery });
    await made.start();
    for (let count = 0; count < 12; count += 1) await made.sweep();
    expect(adopted).toHaveLength(13);
    expect(looks).toBe(1);
  });
});
