/**
 * A small world around the real mailbox: a few workers that take every step of `run-execution.ts` one at a time, so that a
 * test can stop, kill or wake them between any two; and a launcher that remembers start markers and forgets containers.
 *
 * What is asked of it at the end: each message was executed once and ended once, a stateful actor's in order and one at a
 * time, and nothing is left over.
 */

import type { Lease, Settlement } from '../../src/executions/execution.ts';
import type { ActorRef } from '../../src/mailbox/keys.ts';
import { aHandle, aMessage, anIntent, aSettlement, type MailboxBench, manyWorkers, place } from './mailbox-bench.ts';

/** Switched off to see that the model notices. */
export type Protection = 'marker' | 'fence' | 'cleanup';

type Step = 'claimed' | 'intended' | 'launched' | 'watched' | 'running' | 'settled' | 'removed';

interface Holding {
  readonly actor: ActorRef;
  readonly lease: Lease;
  readonly attempt: number;
  readonly step: Step;
}

export interface World {
  readonly actors: readonly ActorRef[];
  readonly workers: number;
  post(actor: number, key?: string): Promise<void>;
  /** The worker does the next thing it has to do; one that holds nothing claims. */
  step(worker: number): Promise<void>;
  giveBack(worker: number): Promise<void>;
  /** Its lease runs out; it does not know, and goes on whenever it is stepped. */
  stall(worker: number): Promise<void>;
  /** Its lease runs out and it forgets everything. */
  kill(worker: number): Promise<void>;
  adopt(worker: number): Promise<void>;
  cancel(message: number): Promise<void>;
  purge(actor: number): Promise<void>;
  clean(): Promise<void>;
  /** Goes on until nobody has anything to do. @returns every promise that was broken. */
  finish(): Promise<readonly string[]>;
}

const workerCount = 3;
const leaseMs = 600_000;

export async function createWorld(bench: MailboxBench, without?: Protection): Promise<World> {
  const { mailbox } = bench;
  const actors = [await bench.newActor({ stateless: false }), await bench.newActor({ maxWorkers: 2 })];
  const launcher = createModelLauncher(without);
  const holdings = new Map<number, Holding>();
  const posted = new Map<string, ActorRef>();
  const keys = new Map<string, string>();
  const ends = new Map<string, number>();
  const broken: string[] = [];

  const noteEnd = (id: string): void => void ends.set(id, (ends.get(id) ?? 0) + 1);
  const actorAt = (index: number): ActorRef => actors[index % actors.length] as ActorRef;
  const heldKey = (actor: ActorRef): string => bench.keysOf(actor).held;
  const goOn = (worker: number, holding: Holding, step: Step): void => void holdings.set(worker, { ...holding, step });

  /** The lease as the worker knows it; without fences, whatever lease there is. */
  async function leaseOf({ actor, lease }: Holding): Promise<Lease> {
    if (without !== 'fence') return lease;
    const fence = await bench.redis.hget(bench.keysOf(actor).execution(lease.executionId), 'fence');
    return { ...lease, fence: Number(fence ?? 0) };
  }

  async function expire({ actor, lease }: Holding): Promise<void> {
    const fence = await bench.redis.hget(bench.keysOf(actor).execution(lease.executionId), 'fence');
    if (fence === String(lease.fence)) await bench.redis.zadd(heldKey(actor), 'XX', 0, lease.executionId);
  }

  async function claim(worker: number): Promise<void> {
    for (const actor of actors) {
      const outcome = await mailbox.claim(actor, { workerId: `w${worker}`, leaseMs, workersPerActor: manyWorkers });
      if (outcome.kind !== 'leased') continue;
      holdings.set(worker, { actor, lease: outcome.claimed.lease, attempt: 1, step: 'claimed' });
      return;
    }
  }

  async function settle(worker: number, holding: Holding, settlement: Settlement): Promise<void> {
    const lease = await leaseOf(holding);
    const outcome = await mailbox.settle(lease, settlement);
    if (outcome === 'lost') return void holdings.delete(worker);
    noteEnd(lease.executionId);
    launcher.end(lease.executionId);
    if (without === 'cleanup') await bench.redis.del(bench.keysOf(holding.actor).cleanup);
    goOn(worker, holding, 'settled');
  }

  const steps: Record<Step, (worker: number, holding: Holding) => Promise<void>> = {
    async claimed(worker, holding) {
      const recorded = await mailbox.recordIntent(await leaseOf(holding), anIntent(holding.attempt));
      if (recorded === 'recorded') return goOn(worker, holding, 'intended');
      if (recorded === 'lost') return void holdings.delete(worker);
      if (launcher.close(holding.lease.executionId)) {
        return await settle(worker, holding, aSettlement({ end: 'cancelled' }));
      }
      // It has started: launching it again finds its handle.
      goOn(worker, holding, 'intended');
    },
    async intended(worker, holding) {
      if (!launcher.launch(holding.lease.executionId, holding.actor === actors[0])) {
        broken.push('two of a stateful actor run at once');
      }
      goOn(worker, holding, 'launched');
    },
    async launched(worker, holding) {
      const recorded = await mailbox.recordHandle(await leaseOf(holding), aHandle(holding.lease, holding.attempt));
      if (recorded === 'recorded') return goOn(worker, holding, 'watched');
      if (recorded === 'ended') launcher.remove(holding.lease.executionId);
      holdings.delete(worker);
    },
    async watched(worker, holding) {
      if ((await mailbox.running(await leaseOf(holding), new Date(1), 'n')) === 'lost') holdings.delete(worker);
      else goOn(worker, holding, 'running');
    },
    async running(worker, holding) {
      await settle(worker, holding, aSettlement());
    },
    async settled(worker, holding) {
      launcher.remove(holding.lease.executionId);
      goOn(worker, holding, 'removed');
    },
    async removed(worker, { actor, lease, attempt }) {
      await mailbox.cleanupDone(actor, { executionId: lease.executionId, attempt, launcher: place });
      holdings.delete(worker);
    },
  };

  const world: World = {
    actors,
    workers: workerCount,
    async post(index, key) {
      const actor = actorAt(index);
      const executionId = bench.ids.next();
      const idempotency = key === undefined ? {} : { idempotency: { key, caller: 'alice', digest: 'd' } };
      const outcome = await mailbox.post(actor, { executionId, message: aMessage(), ...idempotency });
      if (outcome.kind === 'posted') posted.set(executionId, actor);
      const name = `${actor.actorId} ${key}`;
      if (key === undefined) return;
      const first = keys.get(name);
      if (first === undefined) keys.set(name, executionId);
      else if (outcome.kind !== 'replayed' || outcome.executionId !== first) broken.push(`${key} was posted again`);
    },
    async step(worker) {
      const holding = holdings.get(worker);
      if (holding) await steps[holding.step](worker, holding);
      else await claim(worker);
    },
    async giveBack(worker) {
      const holding = holdings.get(worker);
      if (holding?.step !== 'claimed') return;
      const outcome = await mailbox.giveBack(await leaseOf(holding));
      if (outcome !== 'intended') holdings.delete(worker);
    },
    async stall(worker) {
      const holding = holdings.get(worker);
      if (holding) await expire(holding);
    },
    async kill(worker) {
      await world.stall(worker);
      holdings.delete(worker);
    },
    async adopt(worker) {
      if (holdings.has(worker)) return;
      for (const actor of actors) {
        const outcome = await mailbox.adopt(actor, { workerId: `w${worker}`, leaseMs, places: [place] });
        if (outcome.kind !== 'adopted') continue;
        const { lease, handle, intent } = outcome.claimed;
        const attempt = intent?.attempt ?? 1;
        holdings.set(worker, { actor, lease, attempt, step: handle ? 'watched' : 'claimed' });
        return;
      }
    },
    async cancel(message) {
      const [id, actor] = [...posted][message % Math.max(1, posted.size)] ?? [];
      if (id !== undefined && actor) await mailbox.cancel(actor, id, true);
    },
    async purge(index) {
      const actor = actorAt(index);
      const waiting = await bench.redis.zrange(bench.keysOf(actor).mailbox, '0', '-1');
      await mailbox.purge(actor, 100);
      for (const id of waiting) noteEnd(id);
    },
    async clean() {
      for (const actor of actors) {
        for (const entry of await mailbox.cleanups(actor)) {
          launcher.remove(entry.executionId);
          await mailbox.cleanupDone(actor, entry);
        }
      }
    },
    async finish() {
      for (let round = 0; round < 500 && (await busy()); round += 1) {
        for (let worker = 0; worker < workerCount; worker += 1) {
          await world.adopt(worker);
          await world.step(worker);
        }
        await world.clean();
      }
      await judge();
      return broken;
    },
  };

  async function busy(): Promise<boolean> {
    if (holdings.size > 0) return true;
    const loads = await Promise.all(actors.map((actor) => mailbox.load(actor)));
    return loads.some(({ waiting, held, cleanups }) => waiting + held + cleanups > 0);
  }

  async function judge(): Promise<void> {
    if (await busy()) broken.push('something is still under way');
    for (const [id, actor] of posted) {
      const execution = await bench.executions.get(actor, id);
      const starts = launcher.starts.filter((started) => started === id).length;
      const wanted = execution?.end === 'cancelled' ? 0 : 1;
      if (starts !== wanted) broken.push(`${id} ended as ${execution?.end} and was started ${starts} times`);
      if (ends.get(id) !== 1) broken.push(`${id} ended ${ends.get(id) ?? 0} times`);
    }
    const ordered = [...posted].filter(([, actor]) => actor === actors[0]).map(([id]) => id);
    const started = launcher.starts.filter((id) => ordered.includes(id));
    if (String(started) !== String(ordered.filter((id) => started.includes(id)))) broken.push('the order was not kept');
    for (const id of launcher.owned()) broken.push(`the container of ${id} is left`);
    for (const actor of actors) await drain(actor);
  }

  async function drain(actor: ActorRef): Promise<void> {
    await bench.actors.remove(actor);
    const entries = await mailbox.owed(actor, 1_000);
    for (const entry of entries) await mailbox.drained(actor, entry);
    await bench.actors.forget(actor);
    const left = await bench.redis.keys(`*{${actor.tenant}:${actor.actorId}}*`);
    // Idempotency-Keys are kept for their time.
    for (const key of left.filter((name) => !name.includes(':i:'))) broken.push(`key ${key} is left`);
  }

  return world;
}

interface ModelLauncher {
  /** Execution ids, one for each start of a program. */
  readonly starts: readonly string[];
  /** @returns false when another of the stateful actor's was running when this one started. */
  launch(id: string, isStateful: boolean): boolean;
  /** @returns whether it never started, and never will. */
  close(id: string): boolean;
  remove(id: string): void;
  /** The program has ended. */
  end(id: string): void;
  /** Containers that somebody owes the removal of. */
  owned(): readonly string[];
}

/** A started program runs until its execution is settled. */
function createModelLauncher(without: Protection | undefined): ModelLauncher {
  const starts: string[] = [];
  const markers = new Map<string, 'started' | 'closed'>();
  const containers = new Map<string, 'owned' | 'stray'>();
  const running = new Set<string>();
  return {
    starts,
    launch(id, isStateful) {
      const marker = without === 'marker' && !containers.has(id) ? undefined : markers.get(id);
      // Made after the end, it can start nothing and belongs to nobody: the sweep's work.
      containers.set(id, containers.get(id) ?? (marker ? 'stray' : 'owned'));
      if (marker) return true;
      markers.set(id, 'started');
      starts.push(id);
      const isAlone = running.size === 0;
      if (isStateful) running.add(id);
      return isAlone || !isStateful;
    },
    close(id) {
      if (markers.get(id) === 'started') return false;
      markers.set(id, 'closed');
      return true;
    },
    remove: (id) => void containers.delete(id),
    end: (id) => void running.delete(id),
    owned: () => [...containers].filter(([, kind]) => kind === 'owned').map(([id]) => id),
  };
}
