/**
 * Drains what Redis owes the history, in batches: what has ended whole, the registry, and of all there is what a search
 * may find, which is executions from their submission on. An entry stays until the history has confirmed it, so an outage loses
 * nothing and blocks nothing; a batch that was written and not confirmed is written again, which changes nothing.
 */

import type { ActorStore } from '../actors/actor-store.ts';
import type { PermissionStore } from '../auth/permission-store.ts';
import { asError } from '../errors.ts';
import type { Blobs } from '../executions/blobs.ts';
import { type Execution, isFinal } from '../executions/execution.ts';
import type { ExecutionStore } from '../executions/execution-store.ts';
import { pause, pauseMs } from '../lib/backoff.ts';
import { createCoalescer } from '../lib/coalesce.ts';
import { optional } from '../lib/optional.ts';
import type { ActorRef } from '../mailbox/keys.ts';
import type { Mailbox, OwedEntry } from '../mailbox/mailbox.ts';
import type { News } from '../mailbox/news.ts';
import type { Logger } from '../observability/logger.ts';
import { actorEntry, type Describe, executionEntry, logEntry } from './describe.ts';
import { forgetExpired } from './forget-expired.ts';
import type { EndedExecution, History, RegistryRecord } from './history.ts';
import { readStart } from './log-start.ts';
import { createOwing } from './owing.ts';
import type { SearchEntry } from './search.ts';

export interface Outbox {
  start(): void;
  /** Stops after the batch under way. Again is a no-op. */
  stop(): Promise<void>;
  /** Drains all there is now. @returns how many entries were confirmed. */
  drain(): Promise<number>;
  /**
   * Writes what is owed now of a tenant, or of one actor of it, so that a search sees all that was answered before.
   * @returns false when that was not done within `withinMs`.
   */
  catchUp(scope: CatchUpScope, withinMs: number): Promise<boolean>;
}

export interface CatchUpScope {
  readonly tenant: string;
  readonly actorId?: string;
}

export interface OutboxOptions {
  readonly mailbox: Pick<Mailbox, 'owed' | 'drained' | 'load'>;
  readonly actors: Pick<ActorStore, 'refs' | 'registryRecord' | 'release' | 'forget' | 'get' | 'state'>;
  readonly executions: Pick<ExecutionStore, 'ended' | 'get' | 'noteResults' | 'unreadableResults' | 'forgetResults'>;
  readonly permissions: Pick<PermissionStore, 'all'>;
  readonly history: Pick<History, 'write' | 'expiredBlobs' | 'expireLogs' | 'expireLogsOf'>;
  readonly blobs: Pick<Blobs, 'remove' | 'open' | 'size'>;
  readonly describe: Describe;
  /** Called once for each execution that has ended, by the process that brought it to the history. */
  readonly onEnded?: (execution: Execution) => void;
  /** When the log of an execution that ended then may be forgotten; nothing is never. */
  readonly logExpiresAt: (actor: ActorRef, ended: Date) => Promise<Date | undefined>;
  /** Says which actors have something to drain; all are looked at from time to time. */
  readonly news: Pick<News, 'listen' | 'caughtUp'>;
  readonly batch: number;
  readonly intervalMs: number;
  readonly log: Logger;
}

interface Owed {
  readonly actor: ActorRef;
  readonly owed: OwedEntry;
}

interface Entry {
  readonly actor: ActorRef;
  readonly owed: OwedEntry;
  readonly ended?: EndedExecution;
  readonly registry?: RegistryRecord;
  readonly messageBlob?: string;
  readonly resultBlobs?: number;
  readonly search: readonly SearchEntry[];
}

/** Rounds between two looks at every actor, which find what news did not tell. */
const roundsPerFullLook = 20;

/** Entries of one actor that are caught up with at once, and how long that may go on once nobody may wait any more. */
const mostCaughtUp = 20_000;
const catchUpMs = 5_000;

const outagePause = { firstMs: 500, mostMs: 30_000 };

/** What has expired is forgotten this often, and goes on as long as there is more; an expired log reads as empty at once. */
const expiryEveryMs = 60_000;

export function createOutbox(options: OutboxOptions): Outbox {
  const { log, describe } = options;
  const once = createCoalescer();
  const stopping = new AbortController();
  const told = new Map<string, ActorRef>();
  const owing = createOwing(options);
  let loop: Promise<void> | undefined;
  const stopListening = options.news.listen((item) => {
    if (item.kind === 'ended' || item.kind === 'actor') told.set(`${item.tenant}:${item.actorId}`, item);
    owing.hear(item);
  });

  async function drainActor(actor: ActorRef): Promise<number> {
    let confirmed = 0;
    for (;;) {
      const owed = await options.mailbox.owed(actor, options.batch);
      if (owed.length === 0) return confirmed;
      await write(owed.map((entry) => ({ actor, owed: entry })));
      confirmed += owed.length;
    }
  }

  async function write(owed: readonly Owed[]): Promise<void> {
    const entries = await Promise.all(owed.map(read));
    await options.history.write({
      executions: entries.flatMap((entry) => entry.ended ?? []),
      registry: entries.flatMap((entry) => entry.registry ?? []),
      search: entries.flatMap((entry) => entry.search),
    });
    await Promise.all(entries.map(deleteLogs));
    await Promise.all(entries.map(confirm));
  }

  /** Those of a deleted actor, which are all here: an actor is owed its deletion after the last of its executions. */
  async function deleteLogs({ actor: { tenant, actorId }, registry }: Entry): Promise<void> {
    if (registry?.record === null) await options.history.expireLogsOf(tenant, actorId, new Date());
  }

  async function read({ actor, owed }: Owed): Promise<Entry> {
    const { executionId, number } = owed;
    if (executionId === undefined) return await readActor(actor, owed);
    const execution = await options.executions.get(actor, executionId);
    if (!execution) return { actor, owed, search: [] };
    if (isFinal(execution.state)) return await readEnded(actor, owed, executionId);
    return { actor, owed, search: [executionEntry(execution, number, describe)] };
  }

  async function readActor(ref: ActorRef, owed: OwedEntry): Promise<Entry> {
    const { number } = owed;
    const registry = await options.actors.registryRecord(ref, number);
    // What concerns others than the actor itself is owed until it is done, like the record.
    if (registry.record === null) await options.actors.release(ref);
    const actor = await options.actors.get(ref.tenant, ref.actorId);
    const found = actor && {
      actor,
      state: actor.stateless ? {} : await options.actors.state(ref),
      grants: await options.permissions.all({ kind: 'actor', tenant: ref.tenant, id: ref.actorId }),
    };
    return { actor: ref, owed, registry, search: [actorEntry(ref, number, found, describe)] };
  }

  async function readEnded(actor: ActorRef, owed: OwedEntry, executionId: string): Promise<Entry> {
    const found = await options.executions.ended(actor, executionId);
    if (!found) return { actor, owed, search: [] };
    const { execution, log: kept } = found.ended;
    const logExpiresAt = await options.logExpiresAt(actor, execution.finishedAt ?? execution.receivedAt);
    const text = await readStart(options.blobs, kept.body);
    const said = { text, expiresAt: logExpiresAt };
    return {
      actor,
      owed,
      ended: { ...found.ended, ...(logExpiresAt ? { logExpiresAt } : {}) },
      ...optional('messageBlob', found.messageBlob),
      ...optional('resultBlobs', found.resultBlobs),
      search: [
        executionEntry(execution, owed.number, describe),
        ...(text === '' ? [] : [logEntry(execution, owed.number, said, describe)]),
      ],
    };
  }

  async function confirm({ actor, owed, messageBlob, resultBlobs, ended }: Entry): Promise<void> {
    if (ended && resultBlobs !== undefined) {
      await options.executions.noteResults(actor, ended.execution.id, resultBlobs);
    }
    // First, as nobody knows its name once Redis has forgotten the execution; nobody reads it after the end.
    if (messageBlob !== undefined) await options.blobs.remove(messageBlob);
    const answer = await options.mailbox.drained(actor, owed);
    if (ended && answer !== 'changed' && answer !== 'gone') options.onEnded?.(ended.execution);
    if (answer === 'forgotten') await options.actors.forget(actor);
  }

  /** Of many actors together, so that a thousand small changes are one write. */
  async function writeOwed({ tenant, actorId }: CatchUpScope): Promise<void> {
    const actors = actorId === undefined ? await owing.of(tenant) : [{ tenant, actorId }];
    const owed = await Promise.all(
      actors.map(async (actor) => {
        const entries = await options.mailbox.owed(actor, mostCaughtUp);
        return entries.map((entry) => ({ actor, owed: entry }));
      }),
    );
    const all = owed.flat();
    const until = Date.now() + catchUpMs;
    for (let from = 0; from < all.length; from += options.batch) {
      if (Date.now() > until) throw new Error('the backlog is long');
      await write(all.slice(from, from + options.batch));
    }
    if (owed.some((entries) => entries.length === mostCaughtUp)) throw new Error('the backlog is long');
    if (actorId === undefined) await owing.settle(tenant, actors);
  }

  async function catchUp(scope: CatchUpScope, withinMs: number): Promise<boolean> {
    const patience = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => patience.resolve(false), withinMs);
    const work = once(`${scope.tenant}:${scope.actorId ?? ''}`, () => writeOwed(scope)).then(
      () => true,
      (thrown: unknown) => {
        log.debug({ err: asError(thrown), tenant: scope.tenant }, 'search did not wait for the whole outbox');
        return false;
      },
    );
    try {
      return await Promise.race([work, patience.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  async function drain(): Promise<number> {
    told.clear();
    return await drainActors(await options.actors.refs());
  }

  async function drainActors(actors: readonly ActorRef[]): Promise<number> {
    let confirmed = 0;
    for (const actor of actors) {
      if (stopping.signal.aborted) break;
      confirmed += await drainActor(actor);
    }
    return confirmed;
  }

  async function drainTold(): Promise<void> {
    const actors = [...told.values()];
    told.clear();
    await drainActors(actors);
  }

  async function drainForEver(): Promise<void> {
    let failures = 0;
    let expireAt = 0;
    for (let round = 0; !stopping.signal.aborted; round += 1) {
      try {
        await (round % roundsPerFullLook === 0 || failures > 0 ? drain() : drainTold());
        if (Date.now() >= expireAt) {
          expireAt = (await forgetExpired(options)) ? 0 : Date.now() + expiryEveryMs;
        }
        if (failures > 0) log.info({ failures }, 'outbox drains again');
        failures = 0;
        await pause(options.intervalMs, stopping.signal);
      } catch (thrown) {
        if (failures === 0) log.warn({ err: asError(thrown) }, 'outbox waits for the history');
        failures += 1;
        await pause(pauseMs(failures, outagePause), stopping.signal);
      }
    }
  }

  return {
    start() {
      loop ??= drainForEver();
    },
    async stop() {
      stopping.abort();
      stopListening();
      await loop;
    },
    drain,
    catchUp,
  };
}
