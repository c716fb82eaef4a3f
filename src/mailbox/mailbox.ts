/**
 * The mailbox of an actor, and all a worker may do with what it took out of it. Every transition is one Lua script, so
 * it happens whole or not at all; every one a worker makes carries its fence, so late news changes nothing.
 *
 *     post ─► waiting ─claim─► held ─recordIntent─► intended ─recordHandle─► launched ─running─► running ─settle─► ended
 *               ▲                │                      │                       │                  │
 *               └──── giveBack ──┘                      └──── lease ran out: adopt, under a new fence ──┘
 *               └──── lease ran out: adopt ('returned') ┘
 *
 * - *waiting*: in the mailbox, at its place. A place is for life: what is given back stands where it stood.
 * - *held*: leased to one worker. Costs delay when that worker dies, nothing else.
 * - *intended*: something may have been started. From here on the execution never returns to the mailbox; whoever takes
 *   over launches the same attempt, which the start marker makes harmless.
 * - *launched*: the handle is known and outlives every process.
 * - *ended*: final. The outbox owes it to the history, as it did from the post on; the cleanup entry owes its container's removal.
 */

import type { Redis } from 'ioredis';
import type { Actor } from '../actors/actor.ts';
import { readActor } from '../actors/actor-record.ts';
import type { Claimed, Lease, LogRef, Settlement, Wait } from '../executions/execution.ts';
import {
  type Fields,
  readClaimed,
  readFields,
  writeBody,
  writeSettlement,
  writeWait,
} from '../executions/execution-record.ts';
import type { AttemptRef, LaunchHandle } from '../launcher/launcher.ts';
import { optional } from '../lib/optional.ts';
import { throwRedisError } from '../storage/redis.ts';
import { type ActorRef, createKeys, newsChannel } from './keys.ts';
import { createKnownActors } from './known-actors.ts';
import { createPosting, type Posting } from './posting.ts';
import { type Answer, createRunScript, words } from './scripts.ts';

export type ClaimOutcome =
  /** `waiting` is how many wait still. */
  | { readonly kind: 'leased'; readonly claimed: Claimed; readonly actor: Actor; readonly waiting: number }
  | { readonly kind: 'empty' | 'busy' | 'paused' | 'gone' };

export type AdoptOutcome =
  | { readonly kind: 'adopted'; readonly claimed: Claimed; readonly actor: Actor }
  | { readonly kind: 'returned'; readonly executionId: string }
  | { readonly kind: 'none' };

export interface LeaseOptions {
  readonly workerId: string;
  readonly leaseMs: number;
}

export interface ClaimOptions extends LeaseOptions {
  /** Most that may be held of a stateless actor without a limit of its own. */
  readonly workersPerActor: number;
  /** As many as somebody asked for may be held, whatever the limit; of a stateful actor one still. */
  readonly wanted?: number;
}

/** An attempt whose container is still to be removed. */
export interface CleanupEntry extends AttemptRef {
  readonly launcher: string;
}

/** One thing the history is owed: an execution, or the actor's record, as it stands. */
export interface OwedEntry {
  /** Nothing for the actor's record. */
  readonly executionId?: string;
  /** Grows with every entry of the actor; a later one of the same thing takes its place. */
  readonly number: number;
}

export interface ActorLoad {
  readonly waiting: number;
  readonly held: number;
  readonly outbox: number;
  readonly cleanups: number;
  /** Whether events of it are still to be told. */
  readonly owesEvents: boolean;
}

export interface Standing {
  /** Messages before it. */
  readonly ahead: number;
  /** Execution of the message that is taken next. */
  readonly firstId: string;
}

export interface MailboxOptions {
  readonly redis: Redis;
  readonly prefix: string;
  /** Messages that may wait in one mailbox; 0 is no limit. */
  readonly maxWaiting: number;
  /** How long an Idempotency-Key is kept after its execution's end. */
  readonly idempotencyKeepMs: number;
  /** How long results are kept after their last use. */
  readonly resultsKeepMs: number;
}

export interface Mailbox extends Posting {
  /** Messages that wait, not counting held ones. */
  depth(actor: ActorRef): Promise<number>;
  /** Where a waiting message stands, and which one stands first; nothing when it does not wait. */
  standing(actor: ActorRef, executionId: string): Promise<Standing | undefined>;
  load(actor: ActorRef): Promise<ActorLoad>;
  /** Ends waiting messages as cancelled, at most `most` of them. */
  purge(actor: ActorRef, most: number): Promise<{ readonly ended: number; readonly waiting: number }>;
  claim(actor: ActorRef, options: ClaimOptions): Promise<ClaimOutcome>;
  /** `places` are those the caller can reach; what was intended elsewhere is left to others. None given is any. */
  adopt(actor: ActorRef, options: LeaseOptions & { readonly places?: readonly string[] }): Promise<AdoptOutcome>;
  extend(lease: Lease): Promise<'extended' | 'cancel' | 'lost'>;
  giveBack(lease: Lease, wait?: Wait): Promise<'given-back' | 'intended' | 'lost'>;
  recordIntent(
    lease: Lease,
    intent: {
      readonly attempt: number;
      readonly launcher: string;
      readonly notAfter: Date;
      readonly tokenHash: string;
    },
  ): Promise<'recorded' | 'cancelled' | 'lost'>;
  recordHandle(lease: Lease, handle: LaunchHandle): Promise<'recorded' | 'lost' | 'ended'>;
  running(lease: Lease, at: Date, node: string): Promise<'running' | 'lost'>;
  /** @returns how many starts of it have failed so far. */
  noteWait(lease: Lease, wait: Wait, startFailed: boolean): Promise<number | 'lost'>;
  /** @returns how many results there are now. */
  appendResults(lease: Lease, from: number, results: readonly LogRef['body'][]): Promise<number | 'lost'>;
  settle(lease: Lease, settlement: Settlement): Promise<'settled' | 'lost'>;
  /** Asks for the end of a running execution; of one that is held but not running only when `alsoSubmitted`. */
  cancel(
    actor: ActorRef,
    executionId: string,
    alsoSubmitted?: boolean,
  ): Promise<'requested' | 'unknown' | 'submitted' | 'complete' | 'error'>;
  heldIds(actor: ActorRef): Promise<readonly string[]>;
  /** Executions that are held, or that have ended and whose removal is owed. */
  liveIds(actor: ActorRef): Promise<readonly string[]>;
  cleanups(actor: ActorRef): Promise<readonly CleanupEntry[]>;
  cleanupDone(actor: ActorRef, entry: CleanupEntry): Promise<void>;
  /** What the history is owed, the oldest first. */
  owed(actor: ActorRef, most: number): Promise<readonly OwedEntry[]>;
  /** The history has it. `forgotten` when that was the last trace of a deleted actor. */
  drained(actor: ActorRef, entry: OwedEntry): Promise<'drained' | 'changed' | 'gone' | 'forgotten'>;
}

export function createMailbox(options: MailboxOptions): Mailbox {
  const { redis, prefix } = options;
  const keys = createKeys(prefix);
  const run = createRunScript(redis);
  const known = createKnownActors(redis);
  const channel = (actor: ActorRef): string => newsChannel(prefix, actor);

  return {
    ...createPosting({ ...options, run }),

    async depth(actor) {
      return await redis.zcard(keys.of(actor).mailbox).catch(throwRedisError);
    },

    async standing(actor, executionId) {
      const { mailbox } = keys.of(actor);
      const [ahead, first] = await Promise.all([
        redis.zrank(mailbox, executionId),
        redis.zrange(mailbox, '0', '0'),
      ]).catch(throwRedisError);
      return ahead === null ? undefined : { ahead, firstId: first[0] ?? executionId };
    },

    async load(actor) {
      const of = keys.of(actor);
      const [waiting, held, outbox, cleanups, events] = await Promise.all([
        redis.zcard(of.mailbox),
        redis.zcard(of.held),
        redis.zcard(of.outbox),
        redis.hlen(of.cleanup),
        redis.exists(of.linkEvents, of.webhookEvents),
      ]).catch(throwRedisError);
      return { waiting, held, outbox, cleanups, owesEvents: events > 0 };
    },

    async purge(actor, most) {
      const of = keys.of(actor);
      const answer = await run(
        'purge',
        [of.actor, of.mailbox, of.executions, of.outbox],
        [channel(actor), most, options.idempotencyKeepMs, 'The mailbox was purged before this message ran'],
      );
      const [ended, waiting] = words(answer);
      return { ended: Number(ended), waiting: Number(waiting) };
    },

    async claim(actor, { workerId, leaseMs, workersPerActor, wanted = 0 }) {
      const of = keys.of(actor);
      const before = known.get(of.actor);
      const answer = await run(
        'claim',
        [of.actor, of.mailbox, of.held, of.executions],
        [workerId, leaseMs, workersPerActor, wanted, before?.version ?? ''],
      );
      const leased = readLeased(actor, { workerId, leaseMs }, answer, (fields) =>
        fields.size === 0 ? before?.actor : known.keep(of.actor, fields),
      );
      return leased ?? { kind: words(answer)[0] as 'empty' | 'busy' | 'paused' | 'gone' };
    },

    async adopt(actor, { workerId, leaseMs, places = [] }) {
      const of = keys.of(actor);
      for (let passed = 0; ; ) {
        const answer = await run(
          'adopt',
          [of.actor, of.mailbox, of.held, of.executions],
          [channel(actor), workerId, leaseMs, passed, ...places],
        );
        const adopted = readLeased(actor, { workerId, leaseMs }, answer, readActor);
        if (adopted) return { ...adopted, kind: 'adopted' };
        const [kind, word = ''] = words(answer);
        if (kind === 'returned') return { kind, executionId: word };
        if (kind !== 'elsewhere') return { kind: 'none' };
        passed += Number(word);
      }
    },

    async extend(lease) {
      const of = keys.of(lease);
      const answer = await run(
        'extend-lease',
        [of.held, of.execution(lease.executionId)],
        [lease.executionId, lease.fence, lease.leaseMs],
      );
      return String(answer) as 'extended' | 'cancel' | 'lost';
    },

    async giveBack(lease, wait) {
      const of = keys.of(lease);
      const answer = await run(
        'give-back',
        [of.mailbox, of.held, of.execution(lease.executionId)],
        [channel(lease), lease.executionId, lease.fence, wait ? writeWait(wait) : ''],
      );
      return String(answer) as 'given-back' | 'intended' | 'lost';
    },

    async recordIntent(lease, intent) {
      const of = keys.of(lease);
      const answer = await run(
        'record-intent',
        [of.execution(lease.executionId), of.cleanup],
        [lease.executionId, lease.fence, intent.attempt, intent.launcher, intent.notAfter.getTime(), intent.tokenHash],
      );
      return String(answer) as 'recorded' | 'cancelled' | 'lost';
    },

    async recordHandle(lease, handle) {
      const of = keys.of(lease);
      const answer = await run(
        'record-handle',
        [of.execution(lease.executionId)],
        [lease.fence, JSON.stringify(handle)],
      );
      return String(answer) as 'recorded' | 'lost' | 'ended';
    },

    async running(lease, at, node) {
      const of = keys.of(lease);
      const answer = await run(
        'running',
        [of.actor, of.execution(lease.executionId), of.outbox],
        [channel(lease), lease.executionId, lease.fence, at.getTime(), node],
      );
      return String(answer) as 'running' | 'lost';
    },

    async noteWait(lease, wait, startFailed) {
      const of = keys.of(lease);
      const answer = await run(
        'note-wait',
        [of.execution(lease.executionId)],
        [channel(lease), lease.executionId, lease.fence, writeWait(wait), startFailed ? '1' : '0'],
      );
      return typeof answer === 'number' ? answer : 'lost';
    },

    async appendResults(lease, from, results) {
      const of = keys.of(lease);
      const answer = await run(
        'append-results',
        [of.execution(lease.executionId), of.results(lease.executionId)],
        [channel(lease), lease.executionId, lease.fence, from, ...results.map(writeBody)],
      );
      return typeof answer === 'number' ? answer : 'lost';
    },

    async settle(lease, settlement) {
      const of = keys.of(lease);
      const id = lease.executionId;
      const answer = await run(
        'settle',
        [
          of.actor,
          of.held,
          of.execution(id),
          of.outbox,
          of.cleanup,
          of.results(id),
          of.resultsRead(id),
          of.linkEvents,
          of.webhookEvents,
        ],
        [
          channel(lease),
          id,
          lease.fence,
          settlement.state,
          options.idempotencyKeepMs,
          options.resultsKeepMs,
          ...writeSettlement(settlement),
        ],
      );
      return String(answer) as 'settled' | 'lost';
    },

    async cancel(actor, executionId, alsoSubmitted = false) {
      const of = keys.of(actor);
      const answer = await run(
        'cancel',
        [of.execution(executionId)],
        [channel(actor), executionId, alsoSubmitted ? '1' : '0'],
      );
      return String(answer) as 'requested' | 'unknown' | 'submitted' | 'complete' | 'error';
    },

    async heldIds(actor) {
      return await redis.zrange(keys.of(actor).held, '0', '-1').catch(throwRedisError);
    },

    async liveIds(actor) {
      const of = keys.of(actor);
      // In this order: a settling execution is in the second before it leaves the first.
      const held = await redis.zrange(of.held, '0', '-1').catch(throwRedisError);
      const owed = await redis.hkeys(of.cleanup).catch(throwRedisError);
      return [...held, ...owed.map((name) => cleanupOf(name).executionId)];
    },

    async cleanups(actor) {
      const of = keys.of(actor);
      const fields = await redis.hgetall(of.cleanup).catch(throwRedisError);
      const names = Object.entries(fields);
      if (names.length === 0) return [];
      // Kept when an actor is deleted, for just this.
      const owner = (await redis.hget(of.actor, 'owner').catch(throwRedisError)) ?? undefined;
      return names.map(([name, launcher]) => ({ ...cleanupOf(name), launcher, ...optional('owner', owner) }));
    },

    async cleanupDone(actor, entry) {
      await redis.hdel(keys.of(actor).cleanup, `${entry.executionId}:${entry.attempt}`).catch(throwRedisError);
    },

    async owed(actor, most) {
      const of = keys.of(actor);
      const flat = await redis.zrange(of.outbox, '0', String(most - 1), 'WITHSCORES').catch(throwRedisError);
      return flat.flatMap((name, index) => {
        if (index % 2 === 1) return [];
        const number = Number(flat[index + 1]);
        return name === 'actor' ? [{ number }] : [{ executionId: name.slice(2), number }];
      });
    },

    async drained(actor, { executionId, number }) {
      const of = keys.of(actor);
      const entry = executionId === undefined ? 'actor' : `x:${executionId}`;
      const answer = await run(
        'drained',
        [of.actor, of.outbox, of.execution(executionId ?? ''), of.cleanup, of.linkEvents, of.webhookEvents, of.causes],
        [entry, number],
      );
      return String(answer) as 'drained' | 'changed' | 'gone' | 'forgotten';
    },
  };
}

/** A field of the cleanup hash: `<executionId>:<attempt>`. */
function cleanupOf(name: string): { readonly executionId: string; readonly attempt: number } {
  const [executionId = '', attempt = '0'] = name.split(':');
  return { executionId, attempt: Number(attempt) };
}

function readLeased(
  actor: ActorRef,
  options: LeaseOptions,
  answer: Answer,
  ownerOf: (record: Fields) => Actor | undefined,
): Extract<ClaimOutcome, { kind: 'leased' }> | undefined {
  if (!Array.isArray(answer) || answer.length < 6) return undefined;
  const [, id, fence, waiting, execution, record] = answer as [Buffer, Buffer, number, number, Buffer[], Buffer[]];
  const owner = ownerOf(readFields(record));
  if (!owner) return undefined;
  const lease: Lease = {
    tenant: actor.tenant,
    actorId: actor.actorId,
    executionId: String(id),
    fence,
    workerId: options.workerId,
    leaseMs: options.leaseMs,
  };
  return { kind: 'leased', claimed: readClaimed(lease, readFields(execution)), actor: owner, waiting };
}
