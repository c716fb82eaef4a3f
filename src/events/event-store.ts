/** Events as they wait in the slot of their actor, for its link and for its webhook apart, the oldest first. */

import type { Redis } from 'ioredis';
import { type ActorRef, createKeys } from '../mailbox/keys.ts';
import { createRunScript } from '../mailbox/scripts.ts';
import { throwRedisError } from '../storage/redis.ts';
import { type EventEntry, readEvent } from './event.ts';

export type EventList = 'link' | 'webhook';

export interface OwedEvent {
  readonly event: EventEntry;
  /** As it stands in the list. */
  readonly text: string;
}

/** What an event became for the link: of an alias the actor it stood for then, and the execution there. */
export interface LinkTarget {
  readonly actorId: string;
  readonly executionId: string;
}

export interface EventStore {
  /** The oldest that is still owed. */
  first(actor: ActorRef, list: EventList): Promise<OwedEvent | undefined>;
  /**
   * Decides where a link's event goes: the first to ask decides for all. Nowhere, where what it was linked to was nobody's
   * meanwhile.
   */
  decideTarget(actor: ActorRef, event: EventEntry, target: LinkTarget): Promise<LinkTarget | undefined>;
  target(actor: ActorRef, event: EventEntry): Promise<LinkTarget | undefined>;
  /** Nothing was made of it there. */
  forgetTarget(actor: ActorRef, event: EventEntry): Promise<void>;
  /** It is owed no more. Again is a no-op. */
  done(actor: ActorRef, list: EventList, owed: OwedEvent): Promise<void>;
  /** Whether the caller is to post the event now; then nobody else is for `ms`. */
  takeTurn(actor: ActorRef, event: EventEntry, ms: number): Promise<boolean>;
  /** Nobody is to post it for `ms` from now on. */
  putOff(actor: ActorRef, event: EventEntry, ms: number): Promise<void>;
}

export function createEventStore({ redis, prefix }: { readonly redis: Redis; readonly prefix: string }): EventStore {
  const keys = createKeys(prefix);
  const run = createRunScript(redis);
  const listKey = (actor: ActorRef, list: EventList): string =>
    list === 'link' ? keys.of(actor).linkEvents : keys.of(actor).webhookEvents;
  const targetField = (event: EventEntry): string => `to:${event.number}`;

  async function target(actor: ActorRef, event: EventEntry): Promise<LinkTarget | undefined> {
    const text = await redis.hget(keys.of(actor).causes, targetField(event)).catch(throwRedisError);
    return text === null ? undefined : (JSON.parse(text) as LinkTarget);
  }

  async function forgetTarget(actor: ActorRef, event: EventEntry): Promise<void> {
    await redis.hdel(keys.of(actor).causes, targetField(event)).catch(throwRedisError);
  }

  return {
    target,
    forgetTarget,

    async first(actor, list) {
      const text = await redis.lindex(listKey(actor, list), 0).catch(throwRedisError);
      return text === null ? undefined : { event: readEvent(text), text };
    },

    async decideTarget(actor, event, mine) {
      const args = [event.number, event.link, JSON.stringify(mine)];
      const decided = String(await run('decide-target', [keys.of(actor).causes], args));
      return decided === 'nobody' ? undefined : (JSON.parse(decided) as LinkTarget);
    },

    async done(actor, list, { event, text }) {
      await redis.lrem(listKey(actor, list), 1, text).catch(throwRedisError);
      // The webhook, which is told what the link's execution is, comes last where there are both.
      if (list === 'link' && event.webhook !== '') return;
      if (event.link !== '') await forgetTarget(actor, event);
    },

    async takeTurn(actor, event, ms) {
      const key = keys.of(actor).webhookTurn(event.number);
      return (await redis.set(key, '1', 'PX', ms, 'NX').catch(throwRedisError)) === 'OK';
    },

    async putOff(actor, event, ms) {
      await redis.set(keys.of(actor).webhookTurn(event.number), '1', 'PX', ms).catch(throwRedisError);
    },
  };
}
