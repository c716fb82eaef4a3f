/**
 * Room for more messages of a user and of a tenant. What waits is added up from the mailboxes themselves: nothing is stored
 * beside them that could drift. They stand in slots of their own, so no script can count them in the step that stores a
 * message. Instead each process counts at most once a second, and adds what it posts itself meanwhile. So a limit may be
 * passed by what other processes post within that second, and room that has come about is found as late.
 */

import type { Redis } from 'ioredis';
import { QuotaError } from '../errors.ts';
import { optional } from '../lib/optional.ts';
import { throwRedisError } from '../storage/redis.ts';
import { type ActorRef, createKeys } from './keys.ts';

export interface RoomLimits {
  /** Messages that may wait for all actors of an owner; 0 is no limit. */
  readonly queuedPerUser: number;
  readonly queuedPerTenant: number;
}

export interface RoomStore {
  /** Takes room for `wanted` messages to the actor, or for as many as there is. */
  take(actor: ActorRef, wanted: number): Promise<Room>;
}

export interface Room {
  /** For how many. */
  readonly messages: number;
  /** Why for no more; nothing where it is for all that were wanted. */
  readonly refusal?: QuotaError;
  /** Gives back what was taken for more than have been posted. To be called once, whatever came of it. */
  close(posted: number): void;
}

export interface RoomStoreOptions {
  readonly redis: Redis;
  readonly prefix: string;
  readonly limits: RoomLimits;
}

/** How long a count is good for. */
const countedForMs = 1_000;

/** Depths asked for at once: the commands go out together and are answered together. */
const countedAtOnce = 500;

/** Users and tenants whose counts are kept; above that the oldest is forgotten, and made anew when it is needed. */
const mostKept = 10_000;

/** What is known of the messages of one user or tenant. */
interface Tally {
  counted: number;
  /** On the clock of this process, which is never set back. */
  countedAt: number;
  /** Posted since by this process, or about to be. */
  ours: number;
  /** Those of `ours` that are about to be. */
  pending: number;
  counting: Promise<void> | undefined;
}

interface Limit {
  readonly tally: Tally;
  readonly most: number;
  readonly whose: string;
  readonly setting: string;
}

/** Without limits nothing is asked of Redis. */
export function createRoomStore({ redis, prefix, limits }: RoomStoreOptions): RoomStore {
  const keys = createKeys(prefix);
  const tallies = new Map<string, Tally>();
  const { queuedPerUser, queuedPerTenant } = limits;

  /** @param list the set of the actors whose messages count */
  async function tallyOf(list: string, tenant: string): Promise<Tally> {
    const tally = tallies.get(list) ?? keep(list);
    if (performance.now() - tally.countedAt < countedForMs) return tally;
    tally.counting ??= count(tally, list, tenant).finally(() => {
      tally.counting = undefined;
    });
    await tally.counting;
    return tally;
  }

  function keep(list: string): Tally {
    const [oldest] = tallies.keys();
    if (oldest !== undefined && tallies.size >= mostKept) tallies.delete(oldest);
    const tally = { counted: 0, countedAt: -Infinity, ours: 0, pending: 0, counting: undefined };
    tallies.set(list, tally);
    return tally;
  }

  /** What is posted while it counts may be in it and in `ours`: until the next count too many are seen, never too few. */
  async function count(tally: Tally, list: string, tenant: string): Promise<void> {
    const postedBefore = tally.ours - tally.pending;
    tally.counted = await waitingFor(list, tenant);
    tally.ours -= postedBefore;
    tally.countedAt = performance.now();
  }

  async function waitingFor(list: string, tenant: string): Promise<number> {
    const ids = await redis.smembers(list).catch(throwRedisError);
    let waiting = 0;
    for (let from = 0; from < ids.length; from += countedAtOnce) {
      const some = ids.slice(from, from + countedAtOnce).map((actorId) => keys.of({ tenant, actorId }).mailbox);
      const depths = await Promise.all(some.map((mailbox) => redis.zcard(mailbox))).catch(throwRedisError);
      waiting = depths.reduce((sum, depth) => sum + depth, waiting);
    }
    return waiting;
  }

  async function userLimit(actor: ActorRef): Promise<Limit | undefined> {
    if (queuedPerUser === 0) return undefined;
    const owner = await redis.hget(keys.of(actor).actor, 'owner').catch(throwRedisError);
    // Whoever posts meets an actor that is not there.
    if (owner === null) return undefined;
    const tally = await tallyOf(keys.ownedBy(actor.tenant, owner), actor.tenant);
    return { tally, most: queuedPerUser, whose: `user "${owner}"`, setting: 'limits.queued_per_user' };
  }

  async function tenantLimit({ tenant }: ActorRef): Promise<Limit | undefined> {
    if (queuedPerTenant === 0) return undefined;
    const tally = await tallyOf(keys.actorsOf(tenant), tenant);
    return { tally, most: queuedPerTenant, whose: `tenant "${tenant}"`, setting: 'limits.queued_per_tenant' };
  }

  return {
    async take(actor, wanted) {
      if (queuedPerUser === 0 && queuedPerTenant === 0) return { messages: wanted, close: () => undefined };
      const both = await Promise.all([userLimit(actor), tenantLimit(actor)]);
      return takeRoom(
        both.filter((limit) => limit !== undefined),
        wanted,
      );
    },
  };
}

/** In one step, so that requests of one process never take the same room. */
function takeRoom(limits: readonly Limit[], wanted: number): Room {
  let messages = wanted;
  let met: Limit | undefined;
  for (const limit of limits) {
    const left = Math.max(0, limit.most - limit.tally.counted - limit.tally.ours);
    if (left >= messages) continue;
    messages = left;
    met = limit;
  }
  for (const { tally } of limits) {
    tally.ours += messages;
    tally.pending += messages;
  }
  return {
    messages,
    ...optional('refusal', met && tooMany(met)),
    close(posted) {
      for (const { tally } of limits) {
        tally.ours += posted - messages;
        tally.pending -= messages;
      }
    },
  };
}

function tooMany({ whose, most, setting }: Limit): QuotaError {
  return new QuotaError(
    'message.too_many',
    `Actors of ${whose} have ${most} messages waiting, the limit of ${setting}; purge what is not needed, or send ` +
      'again later',
  );
}
