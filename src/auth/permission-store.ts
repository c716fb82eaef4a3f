/**
 * Who may do what: a map from user to level beside each thing that has one, in its own slot.
 *
 * Of actors a tenant keeps beside it, for each user, the set of those in whose map the user stands. It is written before
 * the map and shrinks only with the actor, so it may name too many and never too few: listings read the maps of those it
 * names, and nothing of all others.
 */

import type { Redis } from 'ioredis';
import { createKeys, newsChannel, type SharedKeys } from '../mailbox/keys.ts';
import { createRunScript } from '../mailbox/scripts.ts';
import { throwRedisError } from '../storage/redis.ts';
import { type Grants, type ObjectRef, type Permission, permissionOfRank, rankOf, worldUser } from './permission.ts';

export interface PermissionStore {
  /** Every user the map names, in alphabetical order. */
  all(object: ObjectRef): Promise<ReadonlyMap<string, Permission>>;
  of(object: ObjectRef, user: string): Promise<Grants>;
  grant(object: ObjectRef, user: string, permission: Permission): Promise<'granted' | 'gone'>;
}

export interface PermissionStoreOptions {
  readonly redis: Redis;
  readonly prefix: string;
}

export function createPermissionStore({ redis, prefix }: PermissionStoreOptions): PermissionStore {
  const keys = createKeys(prefix);
  const run = createRunScript(redis);
  const keysOf = (object: ObjectRef): SharedKeys => sharedKeysOf(keys, object);

  return {
    async all(object) {
      const levels = await redis.hgetall(keysOf(object).permissions).catch(throwRedisError);
      const names = Object.keys(levels).toSorted();
      return new Map(names.map((user) => [user, permissionOfRank(Number(levels[user]))]));
    },

    async of(object, user) {
      return readGrants(await redis.hmget(keysOf(object).permissions, user, worldUser).catch(throwRedisError));
    },

    async grant(object, user, permission) {
      const rank = rankOf(permission);
      const { permissions } = keysOf(object);
      if (object.kind !== 'actor') {
        const names = object.kind === 'alias' ? keys.aliases(object.tenant) : keys.configs(object.tenant);
        const answer = await run('grant-on-name', [names, permissions], [object.id, user, rank]);
        return String(answer) as 'granted' | 'gone';
      }
      const actor = { tenant: object.tenant, actorId: object.id };
      const of = keys.of(actor);
      const list = keys.sharedWith(object.tenant, user);
      await redis.sadd(list, object.id).catch(throwRedisError);
      const args = [newsChannel(prefix, actor), user, rank];
      const answer = String(await run('grant-on-actor', [of.actor, permissions, of.outbox], args));
      // What is gone never comes back.
      if (answer === 'gone') await redis.srem(list, object.id).catch(throwRedisError);
      return answer as 'granted' | 'gone';
    },
  };
}

/** The keys of what has permissions, whatever it is. */
export function sharedKeysOf(keys: ReturnType<typeof createKeys>, { kind, tenant, id }: ObjectRef): SharedKeys {
  if (kind === 'actor') return keys.of({ tenant, actorId: id });
  return kind === 'alias' ? keys.alias(tenant, id) : keys.config(tenant, id);
}

/** What `HMGET permissions USER ABACO_WORLD` answers. */
export function readGrants([own, world]: readonly (string | null | undefined)[]): Grants {
  const read = (level: string | null | undefined): Permission | undefined =>
    level === null || level === undefined ? undefined : permissionOfRank(Number(level));
  return { own: read(own), world: read(world) };
}
