/**
 * Aliases of every tenant, in the tenant's slot. A name is taken there first; then the actor, in its own slot, is asked
 * whether it is still there, and the name is freed when it is not. Of two that ask for a name at once, one gets it. When a
 * name is freed, the links to it are cleared, and nobody gets it before they are.
 */

import type { Redis } from 'ioredis';
import { type ActorRef, createKeys, newsChannel } from '../mailbox/keys.ts';
import { createRunScript } from '../mailbox/scripts.ts';
import { throwRedisError } from '../storage/redis.ts';
import type { Alias } from './alias.ts';
import { createLinkStore } from './link-store.ts';

export interface AliasStore {
  get(tenant: string, alias: string): Promise<Alias | undefined>;
  /** In alphabetical order. */
  list(tenant: string): Promise<readonly Alias[]>;
  /** `used` when it stands for another actor; `gone` when its actor is. */
  create(alias: Alias): Promise<'created' | 'used' | 'gone'>;
  /** Lets it stand for another actor; `user` may UPDATE it from then on. */
  move(alias: Alias, actorId: string, user: string): Promise<'moved' | 'changed' | 'gone'>;
  /** With its permissions and nonces; configs name it no more, and nobody is linked to it. */
  remove(alias: Alias): Promise<'dropped' | 'changed'>;
  /** Those of an actor, by name. */
  namesOf(actor: ActorRef): Promise<readonly string[]>;
  /** Frees every alias of an actor that was deleted. Again is a no-op. */
  removeAllOf(actor: ActorRef): Promise<void>;
}

export function createAliasStore({ redis, prefix }: { readonly redis: Redis; readonly prefix: string }): AliasStore {
  const keys = createKeys(prefix);
  const run = createRunScript(redis);
  const links = createLinkStore({ redis, prefix });

  async function get(tenant: string, name: string): Promise<Alias | undefined> {
    const record = await redis.hget(keys.aliases(tenant), name).catch(throwRedisError);
    return record === null ? undefined : (JSON.parse(record) as Alias);
  }

  /** Owes the history the actor's record, which names its aliases. */
  async function tellActor(actor: ActorRef): Promise<'owed' | 'gone'> {
    const of = keys.of(actor);
    return String(await run('owe-actor', [of.actor, of.outbox], [newsChannel(prefix, actor)])) as 'owed' | 'gone';
  }

  async function remove(alias: Alias): Promise<'dropped' | 'changed'> {
    const { tenant, alias: name } = alias;
    const own = keys.alias(tenant, name);
    const answer = await run(
      'drop-alias',
      [
        keys.aliases(tenant),
        keys.aliasesOf(alias),
        own.permissions,
        own.nonces,
        keys.configActors(tenant),
        keys.configsOf(tenant),
      ],
      [name, writeAlias(alias)],
    );
    if (String(answer) === 'changed') return 'changed';
    await links.clear(tenant, name);
    return 'dropped';
  }

  /** Where somebody has died between the two steps of `remove`, there are links left, which go first. */
  async function take(alias: Alias): Promise<'taken' | 'used'> {
    const { tenant, alias: name, owner } = alias;
    const { permissions } = keys.alias(tenant, name);
    await links.complete(tenant);
    for (;;) {
      const lists = [keys.aliases(tenant), keys.aliasesOf(alias), permissions, keys.linksTo(tenant)] as const;
      const answer = String(await run('take-alias', lists, [name, writeAlias(alias), owner]));
      if (answer !== 'linked') return answer as 'taken' | 'used';
      await links.clear(tenant, name);
    }
  }

  async function namesOf(actor: ActorRef): Promise<readonly string[]> {
    return (await redis.smembers(keys.aliasesOf(actor)).catch(throwRedisError)).toSorted();
  }

  return {
    get,
    remove: async (alias) => {
      const outcome = await remove(alias);
      if (outcome === 'dropped') await tellActor(alias);
      return outcome;
    },
    namesOf,

    async list(tenant) {
      const records = await redis.hvals(keys.aliases(tenant)).catch(throwRedisError);
      const aliases = records.map((record) => JSON.parse(record) as Alias);
      return aliases.toSorted((one, other) => (one.alias < other.alias ? -1 : 1));
    },

    async create(alias) {
      if ((await take(alias)) === 'used') return 'used';
      if ((await tellActor(alias)) === 'owed') return 'created';
      await remove(alias);
      return 'gone';
    },

    async move(alias, actorId, user) {
      const { tenant, alias: name } = alias;
      const moved = { ...alias, actorId };
      const answer = await run(
        'move-alias',
        [keys.aliases(tenant), keys.aliasesOf(alias), keys.aliasesOf(moved), keys.alias(tenant, name).permissions],
        [name, writeAlias(alias), writeAlias(moved), user],
      );
      if (String(answer) === 'changed') return 'changed';
      await tellActor(alias);
      if ((await tellActor(moved)) === 'owed') return 'moved';
      await remove(moved);
      return 'gone';
    },

    async removeAllOf(actor) {
      for (const name of await namesOf(actor)) {
        const alias = await get(actor.tenant, name);
        if (alias?.actorId === actor.actorId) await remove(alias);
      }
    },
  };
}

/** Always in the same words, since scripts compare it. */
function writeAlias({ tenant, alias, actorId, owner }: Alias): string {
  return JSON.stringify({ tenant, alias, actorId, owner });
}
