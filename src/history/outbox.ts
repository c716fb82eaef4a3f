/**
 * Drains what Redis owes the history, in batches. An entry stays until the history has confirmed it, so an outage loses
 * nothing and blocks nothing; a batch that was written and not confirmed is written again, which changes nothing.
 */

import type { ActorStore } from '../actors/actor-store.ts';
import { asError } from '../errors.ts';
import type { Blobs } from '../executions/blobs.ts';
import type { ExecutionStore } from '../executions/execution-store.ts';
import { pause, pauseMs } from '../lib/backoff.ts';
import type { ActorRef } from '../mailbox/keys.ts';
import type { Mailbox, OwedEntry } from '../mailbox/mailbox.ts';
import type { News } from '../mailbox/news.ts';
import type { Logger } from '../observability/logger.ts';
import type { EndedExecution, History, RegistryRecord } from './history.ts';

export interface Outbox {
  start(): void;
  /** Stops after the batch under way. Again is a no-op. */
  stop(): Promise<void>;
  /** Drains all there is now. @returns how many entries were confirmed. */
  drain(): Promise<number>;
}

export interface OutboxOptions {
  readonly mailbox: Pick<Mailbox, 'owed' | 'drained'>;
  readonly actors: Pick<ActorStore, 'refs' | 'registryRecord' | 'release' | 'forget'>;
  readonly executions: Pick<ExecutionStore, 'ended'>;
  readonly history: Pick<History, 'write' | 'expireLogs'>;
  readonly blobs: Pick<Blobs, 'remove'>;
  /** When the log of an execution that ended then may be forgotten; nothing is never. */
  readonly logExpiresAt: (actor: ActorRef, ended: Date) => Promise<Date | undefined>;
  /** Says which actors have something to drain; all are looked at from time to time. */
  readonly news: Pick<News, 'listen'>;
  readonly batch: number;
  readonly intervalMs: number;
  readonly log: Logger;
}

interface Entry {
  readonly actor: ActorRef;
  readonly owed: OwedEntry;
  readonly ended?: EndedExecution;
  readonly registry?: RegistryRecord;
  readonly messageBlob?: string;
}

/** Rounds between two looks at every actor, which find what news did not tell. */
const roundsPerFullLook = 20;

const outagePause = { firstMs: 500, mostMs: 30_000 };

/** Logs are forgotten this often; an expired one reads as empty at once. */
const expiryEveryMs = 60_000;

export function createOutbox(options: OutboxOptions): Outbox {
  const { log } = options;
  const stopping = new AbortController();
  const told = new Map<string, ActorRef>();
  let loop: Promise<void> | undefined;
  const stopListening = options.news.listen((item) => {
    if (item.kind === 'ended' || item.kind === 'actor') told.set(`${item.tenant}:${item.actorId}`, item);
  });

  async function drainActor(actor: ActorRef): Promise<number> {
    let confirmed = 0;
    for (;;) {
      const owed = await options.mailbox.owed(actor, options.batch);
      if (owed.length === 0) return confirmed;
      const entries = await Promise.all(owed.map((entry) => read(actor, entry)));
      await options.history.write({
        executions: entries.flatMap((entry) => entry.ended ?? []),
        registry: entries.flatMap((entry) => entry.registry ?? []),
      });
      for (const entry of entries) await confirm(entry);
      confirmed += entries.length;
    }
  }

  async function read(actor: ActorRef, owed: OwedEntry): Promise<Entry> {
    if (owed.executionId === undefined) {
      const registry = await options.actors.registryRecord(actor, owed.number);
      // What concerns others than the actor itself is owed until it is done, like the record.
      if (registry.record === null) await options.actors.release(actor);
      return { actor, owed, registry };
    }
    const found = await options.executions.ended(actor, owed.executionId);
    if (!found) return { actor, owed };
    const { finishedAt, receivedAt } = found.ended.execution;
    const logExpiresAt = await options.logExpiresAt(actor, finishedAt ?? receivedAt);
    return {
      actor,
      owed,
      ended: { ...found.ended, ...(logExpiresAt ? { logExpiresAt } : {}) },
      ...(found.messageBlob === undefined ? {} : { messageBlob: found.messageBlob }),
    };
  }

  async function confirm({ actor, owed, messageBlob }: Entry): Promise<void> {
    const answer = await options.mailbox.drained(actor, owed);
    if (messageBlob !== undefined) await options.blobs.remove(messageBlob);
    if (answer === 'forgotten') await options.actors.forget(actor);
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

  async function expire(): Promise<void> {
    for (const blob of await options.history.expireLogs(new Date(), options.batch)) await options.blobs.remove(blob);
  }

  async function drainForEver(): Promise<void> {
    let failures = 0;
    let expireAt = 0;
    for (let round = 0; !stopping.signal.aborted; round += 1) {
      try {
        await (round % roundsPerFullLook === 0 || failures > 0 ? drain() : drainTold());
        if (Date.now() >= expireAt) {
          await expire();
          expireAt = Date.now() + expiryEveryMs;
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
  };
}
