/**
 * Who is linked to a name, an actor's id or an alias: a sorted set of `<name> NUL <actor>` in the tenant's slot, which is
 * written before the actor and may say too many and never too few. When a name becomes nobody's, the links to it are
 * cleared, each in the slot of the actor that has it, with what its events to that name would have become; and nobody can
 * take an alias to which there still is a link. So who takes a name is told nothing that was meant for who had it.
 */

import type { Redis } from 'ioredis';
import { type ActorRef, createKeys, newsChannel } from '../mailbox/keys.ts';
import { createRunScript } from '../mailbox/scripts.ts';
import { throwRedisError } from '../storage/redis.ts';
import { withoutLink } from './actor-record.ts';

export interface LinkStore {
  /** Before the actor is linked, and again once it is, since its name may have been freed meanwhile. Again is a no-op. */
  add(actor: ActorRef, link: string): Promise<void>;
  /** Clears every link to a name that is nobody's any more, unless somebody has taken it since. Again is a no-op. */
  clear(tenant: string, link: string): Promise<void>;
  /** Finds also the links of before they were kept by their names, once for each tenant. */
  complete(tenant: string): Promise<void>;
  /** Clears the links to an actor that was deleted and, once it has told all its events, forgets its own. Again is a no-op. */
  release(actor: ActorRef): Promise<void>;
}

const atOnce = 500;

export function createLinkStore({ redis, prefix }: { readonly redis: Redis; readonly prefix: string }): LinkStore {
  const keys = createKeys(prefix);
  const run = createRunScript(redis);

  async function add({ tenant, actorId }: ActorRef, link: string): Promise<void> {
    await redis.zadd(keys.linksTo(tenant), 0, `${link}\0${actorId}`).catch(throwRedisError);
  }

  async function complete(tenant: string): Promise<void> {
    if ((await redis.sismember(keys.linkedTenants, tenant).catch(throwRedisError)) === 1) return;
    const ids = await redis.smembers(keys.actorsOf(tenant)).catch(throwRedisError);
    for (let from = 0; from < ids.length; from += atOnce) {
      await Promise.all(
        ids.slice(from, from + atOnce).map(async (actorId) => {
          const link = await redis.hget(keys.of({ tenant, actorId }).actor, 'link').catch(throwRedisError);
          if (link) await add({ tenant, actorId }, link);
        }),
      );
    }
    await redis.sadd(keys.linkedTenants, tenant).catch(throwRedisError);
  }

  async function unlink(actor: ActorRef, link: string): Promise<void> {
    const of = keys.of(actor);
    for (;;) {
      const record = (await redis.hget(of.actor, 'record').catch(throwRedisError)) ?? '';
      const args = [newsChannel(prefix, actor), link, record, record === '' ? '' : withoutLink(record)];
      const answer = await run('unlink-actor', [of.actor, of.outbox, of.causes], args);
      if (String(answer) !== 'changed') return;
    }
  }

  /** Nobody takes a name while there is a link to it: what was read before it was found free was of before. */
  async function isAlias(tenant: string, link: string): Promise<boolean> {
    return (await redis.hexists(keys.aliases(tenant), link).catch(throwRedisError)) === 1;
  }

  async function clear(tenant: string, link: string): Promise<void> {
    await complete(tenant);
    const links = keys.linksTo(tenant);
    for (;;) {
      const range = [`[${link}\0`, `(${link}\x01`, 'LIMIT', 0, atOnce] as const;
      const members = await redis.zrangebylex(links, ...range).catch(throwRedisError);
      if (members.length === 0 || (await isAlias(tenant, link))) return;
      const actors = members.map((member) => ({ tenant, actorId: member.slice(link.length + 1) }));
      await Promise.all(actors.map((actor) => unlink(actor, link)));
      await redis.zrem(links, ...members).catch(throwRedisError);
    }
  }

  return {
    add,
    clear,
    complete,

    async release(actor) {
      const { tenant, actorId } = actor;
      await clear(tenant, actorId);
      const { actor: record, linkEvents } = keys.of(actor);
      const link = await redis.hget(record, 'link').catch(throwRedisError);
      if (!link || (await redis.exists(linkEvents).catch(throwRedisError)) > 0) return;
      await redis.zrem(keys.linksTo(tenant), `${link}\0${actorId}`).catch(throwRedisError);
    },
  };
}
