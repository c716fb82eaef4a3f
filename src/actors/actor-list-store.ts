/**
 * Which actors there are: of a tenant, of an owner, and of whom each user may read some. Ids alone; an id without an actor
 * is passed over by whoever reads it, an actor without its id would be lost.
 */

import type { Redis } from 'ioredis';
import { worldUser } from '../auth/permission.ts';
import { QuotaError } from '../errors.ts';
import { decodeId } from '../lib/ids.ts';
import { type ActorRef, createKeys } from '../mailbox/keys.ts';
import { createRunScript } from '../mailbox/scripts.ts';
import { throwRedisError } from '../storage/redis.ts';

export interface ActorListStore {
  /**
   * Before the actor is made.
   * @throws QuotaError where the tenant or the owner has as many as it may.
   */
  add(actor: ActorRef, owner: string): Promise<void>;
  /** Once the actor is made. */
  countRegistered(): Promise<void>;
  /** Before the user is given a permission: too many are listed, and never too few. */
  share(actor: ActorRef, user: string): Promise<void>;
  /** Those in whose permissions `user` may stand, or everybody; the newest first. */
  sharedWith(tenant: string, user: string): Promise<readonly string[]>;
  /** Of every tenant, or of one; also those of which only something is still owed. */
  refs(tenant?: string): Promise<readonly ActorRef[]>;
  /** Over all tenants: how many there are, and how many were ever registered. */
  count(): Promise<{ readonly current: number; readonly total: number }>;
  /** Out of the lists of these users. */
  unlist(actor: ActorRef, users: readonly string[]): Promise<void>;
  /** Out of the tenant's. */
  remove(actor: ActorRef): Promise<void>;
}

export interface ActorListStoreOptions {
  readonly redis: Redis;
  readonly prefix: string;
  /** Most actors; 0 is no limit. */
  readonly mostPerUser?: number;
  readonly mostPerTenant?: number;
}

export function createActorListStore(options: ActorListStoreOptions): ActorListStore {
  const { redis, prefix, mostPerTenant = 0, mostPerUser = 0 } = options;
  const keys = createKeys(prefix);
  const run = createRunScript(redis);

  return {
    async add({ tenant, actorId }, owner) {
      await redis.sadd(keys.tenants, tenant).catch(throwRedisError);
      const lists = [keys.actorsOf(tenant), keys.ownedBy(tenant, owner)] as const;
      const outcome = String(await run('list-actor', lists, [actorId, mostPerTenant, mostPerUser]));
      if (outcome === 'tenant') throw tooMany(`Tenant "${tenant}"`, mostPerTenant, 'limits.actors_per_tenant');
      if (outcome === 'user') throw tooMany(`User "${owner}"`, mostPerUser, 'limits.actors_per_user');
    },

    async countRegistered() {
      await redis.incr(keys.registered).catch(throwRedisError);
    },

    async share({ tenant, actorId }, user) {
      await redis.sadd(keys.sharedWith(tenant, user), actorId).catch(throwRedisError);
    },

    async sharedWith(tenant, user) {
      const lists = [keys.sharedWith(tenant, user), keys.sharedWith(tenant, worldUser)];
      return newestFirst(await redis.sunion(...lists).catch(throwRedisError));
    },

    async refs(only) {
      const tenants = only === undefined ? await redis.smembers(keys.tenants).catch(throwRedisError) : [only];
      const perTenant = await Promise.all(
        tenants.map(async (tenant) => {
          const ids = await redis.smembers(keys.actorsOf(tenant)).catch(throwRedisError);
          return ids.map((actorId) => ({ tenant, actorId }));
        }),
      );
      return perTenant.flat();
    },

    async count() {
      const tenants = await redis.smembers(keys.tenants).catch(throwRedisError);
      const [registered, ...sizes] = await Promise.all([
        redis.get(keys.registered),
        ...tenants.map((tenant) => redis.scard(keys.actorsOf(tenant))),
      ]).catch(throwRedisError);
      const current = sizes.reduce((sum, size) => sum + size, 0);
      return { current, total: Math.max(current, Number(registered ?? 0)) };
    },

    async unlist({ tenant, actorId }, users) {
      for (const user of users) {
        await redis.srem(keys.sharedWith(tenant, user), actorId).catch(throwRedisError);
        await redis.srem(keys.ownedBy(tenant, user), actorId).catch(throwRedisError);
      }
    },

    async remove({ tenant, actorId }) {
      await redis.srem(keys.actorsOf(tenant), actorId).catch(throwRedisError);
    },
  };
}

/** An id holds the time at which it was made. */
function newestFirst(ids: readonly string[]): readonly string[] {
  const ages = new Map(ids.map((id) => [id, decodeId(id) ?? 0n]));
  return ids.toSorted((one, other) => ((ages.get(one) ?? 0n) > (ages.get(other) ?? 0n) ? -1 : 1));
}

function tooMany(whose: string, most: number, setting: string): QuotaError {
  return new QuotaError(
    'actor.too_many',
    `${whose} has ${most} actors, the limit of ${setting}; delete some that are not needed`,
  );
}
