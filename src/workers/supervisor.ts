/**
 * Decides how many workers each actor has on this host, starts and retires them; prepares the images of new revisions;
 * sends what schedules have due, has events told; and looks, at the start and at every sweep, for what a crash left.
 *
 * News from Redis makes it fast, the sweep makes it right: whatever a missed or late item leaves undone is found within
 * `sweepMs`.
 */

import { type Actor, concurrencyOf } from '../actors/actor.ts';
import type { ActorStore } from '../actors/actor-store.ts';
import { asError } from '../errors.ts';
import type { EventDelivery } from '../events/delivery.ts';
import type { Claimed } from '../executions/execution.ts';
import { chooseLauncher, type LauncherEntry, type LauncherTable } from '../launcher/launcher-table.ts';
import type { ActorRef } from '../mailbox/keys.ts';
import type { ActorLoad, Mailbox } from '../mailbox/mailbox.ts';
import type { News, NewsItem } from '../mailbox/news.ts';
import type { Logger } from '../observability/logger.ts';
import type { ActorPreparation } from './actor-preparation.ts';
import { type Crew, createCrew } from './crew.ts';
import type { LateBooks } from './late-books.ts';
import type { LauncherGate } from './launcher-gate.ts';
import { type ActorDemand, planWorkers, type WorkerPlan, workersPerActor } from './plan-workers.ts';
import type { Recovery } from './recovery.ts';
import type { RunOutcome } from './run-execution.ts';
import type { Scheduler } from './scheduler.ts';
import type { WorkerStore } from './worker-store.ts';

export interface SupervisorSettings {
  readonly hostId: string;
  readonly perActor: number;
  /** Of an actor whose launcher has a scheduler before it: what waits there takes no place here. */
  readonly maxQueued: number;
  readonly perHost: number;
  readonly leaseMs: number;
  readonly sweepMs: number;
  readonly defaultLauncher: string;
  readonly queues: Readonly<Record<string, { readonly launcher: string }>>;
}

export interface SupervisorOptions {
  readonly actors: ActorStore;
  readonly mailbox: Mailbox;
  readonly workers: WorkerStore;
  readonly launchers: LauncherTable;
  readonly gate: LauncherGate;
  readonly preparation: ActorPreparation;
  readonly recovery: Recovery;
  readonly books: Pick<LateBooks, 'idle'>;
  readonly schedules: Scheduler;
  readonly events: EventDelivery;
  readonly news: News;
  readonly run: (entry: LauncherEntry, claimed: Claimed, actor: Actor) => Promise<RunOutcome>;
  readonly nextWorkerId: () => string;
  readonly settings: SupervisorSettings;
  readonly log: Logger;
}

export interface Supervisor {
  /** Resolves when the first sweep is over. */
  start(): Promise<void>;
  /**
   * Claims no more; resolves when everything that was held has been settled or left, with its books. Again returns the
   * same promise.
   */
  stop(): Promise<void>;
  /** Looks at everything again now. */
  sweep(): Promise<void>;
}

interface Served {
  readonly ref: ActorRef;
  actor: Actor;
  load: ActorLoad;
  wanted: number;
  readonly crew: Crew;
}

/** Sweeps between two looks for strays: listing an engine's containers costs more than reading our own counters. */
const sweepsPerStrayLook = 6;

export function createSupervisor(options: SupervisorOptions): Supervisor {
  const { actors, mailbox, launchers, settings, log } = options;
  /** Whoever has not taken a message for the longest time first. */
  const served = new Map<string, Served>();
  const retiring = new Set<Promise<void>>();
  let crowded = false;
  let stopping = false;
  let sweeps = 0;
  let strayLook: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let stopListening = (): void => undefined;
  let stopped: Promise<void> | undefined;

  const keyOf = (ref: ActorRef): string => `${ref.tenant}:${ref.actorId}`;
  const launcherOf = (actor: Actor): LauncherEntry | undefined => launchers.byName(chooseLauncher(actor, settings));

  /** Reads an actor anew. @returns nothing when it is gone. */
  async function refresh(ref: ActorRef): Promise<Served | undefined> {
    const key = keyOf(ref);
    const [actor, load] = await Promise.all([actors.get(ref.tenant, ref.actorId), mailbox.load(ref)]);
    const known = served.get(key);
    if (!actor) {
      if (known) retire(known);
      served.delete(key);
      return undefined;
    }
    const entry = known ?? serve(ref, actor, load);
    entry.actor = actor;
    entry.load = load;
    const launcher = launcherOf(actor);
    if (actor.status === 'submitted' && launcher) options.preparation.begin(actor, launcher);
    return entry;
  }

  function serve(ref: ActorRef, actor: Actor, load: ActorLoad): Served {
    const crew = createCrew({
      actor: ref,
      mailbox,
      records: options.workers,
      gate: options.gate,
      launcherOf,
      launcherName: () => launcherOf(entry.actor)?.name,
      run: options.run,
      nextWorkerId: options.nextWorkerId,
      hostId: settings.hostId,
      leaseMs: settings.leaseMs,
      known: () => entry.actor,
      limits: () => limitsOf(entry),
      log,
      onTaken: (waiting) => onTaken(entry, waiting),
      onNothing: () => onNothing(entry),
      onFree,
      onLeft: replan,
    });
    const entry: Served = { ref, actor, load, wanted: 0, crew };
    served.set(keyOf(ref), entry);
    return entry;
  }

  /** Of messages that come while others wait there is no news: whoever takes one calls those that are ready. */
  function onTaken(entry: Served, waiting: number): void {
    const key = keyOf(entry.ref);
    if (served.delete(key)) served.set(key, entry);
    entry.load = { ...entry.load, waiting };
    if (waiting === 0) return;
    replan();
    entry.crew.wake();
  }

  /** What waits may not be taken here until there is news of it, or a sweep: no place is kept for it. */
  function onNothing(entry: Served): void {
    if (entry.load.waiting === 0) return;
    entry.load = { ...entry.load, waiting: 0 };
    onFree();
  }

  /** A worker would take its actor's next message; where places are short, another actor may be the one whose turn it is. */
  function onFree(): void {
    if (crowded) replan();
  }

  /** Starts and retires workers as `planWorkers` says. */
  function replan(): void {
    if (stopping) return;
    const ready = [...served].filter(([, entry]) => canRun(entry));
    const planFor = (queued: boolean, most: number): WorkerPlan => {
      const entries = ready.filter(([, entry]) => isQueued(entry.actor) === queued);
      return planWorkers(
        entries.map(([key, entry]) => demandOf(key, entry)),
        most,
      );
    };
    const here = planFor(false, settings.perHost);
    const plan = new Map([...here.counts, ...planFor(true, Number.POSITIVE_INFINITY).counts]);
    ({ crowded } = here);
    for (const [key, entry] of served) entry.crew.resize(plan.get(key) ?? 0);
  }

  function canRun(entry: Served): boolean {
    const launcher = launcherOf(entry.actor);
    return entry.actor.status === 'ready' && launcher !== undefined && !options.gate.waitOf(launcher.name);
  }

  /** Whether its executions wait in a scheduler, and not on this host. */
  function isQueued(actor: Actor): boolean {
    return launcherOf(actor)?.launcher.capabilities.queues === true;
  }

  function limitsOf({ actor, wanted }: Served): { readonly workersPerActor: number; readonly wanted: number } {
    return { workersPerActor: workersPerActor(settings, isQueued(actor)), wanted };
  }

  function demandOf(key: string, entry: Served): ActorDemand {
    const { actor, crew, load, wanted } = entry;
    return {
      key,
      busy: crew.busy(),
      concurrency: concurrencyOf(actor, limitsOf(entry)),
      waiting: load.waiting,
      wanted,
    };
  }

  function retire({ crew }: Served): void {
    const ended = crew.retire().then(() => void retiring.delete(ended));
    retiring.add(ended);
  }

  async function sweepActor(ref: ActorRef): Promise<void> {
    const entry = await refresh(ref);
    const load = entry?.load ?? (await mailbox.load(ref));
    if (load.held > 0) await options.recovery.adopt(ref);
    if (load.cleanups > 0) await options.recovery.clean(ref);
    if (load.owesEvents) options.events.begin(ref);
    if (!entry) {
      await forget(ref, load);
      return;
    }
    entry.wanted = await options.workers.wanted(ref);
    await entry.crew.tend();
    await options.schedules.look(entry.actor);
  }

  /** The last trace of a deleted actor goes when its last container has been removed, if that came after all else. */
  async function forget(ref: ActorRef, load: ActorLoad): Promise<void> {
    if (load.outbox > 0 || load.cleanups > 0 || load.owesEvents) return;
    if ((await mailbox.drained(ref, { number: 0 })) === 'forgotten') await actors.forget(ref);
  }

  async function sweep(): Promise<void> {
    const refs = await actors.refs();
    for (const ref of refs) {
      if (stopping) return;
      await sweepActor(ref).catch((thrown: unknown) => log.warn({ ...ref, err: asError(thrown) }, 'actor not swept'));
    }
    replan();
    for (const entry of served.values()) entry.crew.wake();
    if (sweeps % sweepsPerStrayLook === 0) lookForStrays();
    sweeps += 1;
  }

  /** Beside all else, one look at a time: it may take long, and no execution whose lease ran out waits for it. */
  function lookForStrays(): void {
    strayLook ??= options.recovery
      .sweep()
      .catch((thrown: unknown) => log.warn({ err: asError(thrown) }, 'look for strays failed; it is repeated'))
      .finally(() => {
        strayLook = undefined;
      });
  }

  async function hear(item: NewsItem): Promise<void> {
    if (stopping) return;
    if (item.kind === 'missed') {
      await sweep();
      return;
    }
    if (item.kind === 'event') options.events.begin(item);
    if (item.kind !== 'posted' && item.kind !== 'ended' && item.kind !== 'actor') return;
    const entry = served.get(keyOf(item));
    // A worker that is ready takes a new message without anybody reading anything first.
    if (entry && item.kind !== 'actor' && entry.crew.hasReady()) {
      entry.crew.wake();
      return;
    }
    const fresh = await refresh(item);
    replan();
    fresh?.crew.wake();
  }

  async function sweepForEver(): Promise<void> {
    try {
      await sweep();
    } catch (thrown) {
      log.warn({ err: asError(thrown) }, 'sweep failed; it is repeated');
    }
    if (stopping) return;
    timer = setTimeout(() => void sweepForEver(), settings.sweepMs);
    timer.unref();
  }

  async function stopAll(): Promise<void> {
    stopping = true;
    clearTimeout(timer);
    stopListening();
    for (const entry of served.values()) retire(entry);
    await Promise.all(retiring);
    await Promise.all([options.recovery.idle(), options.preparation.idle(), options.events.idle()]);
    await options.books.idle();
  }

  return {
    async start() {
      stopListening = options.news.listen((item) => {
        hear(item).catch((thrown: unknown) => log.warn({ err: asError(thrown) }, 'news not followed; the sweep does'));
      });
      await sweepForEver();
    },
    stop: () => (stopped ??= stopAll()),
    sweep,
  };
}
