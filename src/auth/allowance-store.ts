/** How many requests users and tenants may send a minute, counted in Redis, so that several API processes count together. */

import type { Redis } from 'ioredis';
import { QuotaError } from '../errors.ts';
import { createKeys } from '../mailbox/keys.ts';
import { type Answer, createRunScript } from '../mailbox/scripts.ts';

export interface Allowances {
  /** Per minute; 0 is no limit. */
  readonly requestsPerUser: number;
  readonly requestsPerTenant: number;
}

export interface AllowanceStore {
  /** Counts one request; throws `QuotaError` that says which limit it met and when to come again. */
  take(tenant: string, user: string): Promise<void>;
}

export interface AllowanceStoreOptions {
  readonly redis: Redis;
  readonly prefix: string;
  readonly allowances: Allowances;
}

/** Without limits nothing is asked of Redis. */
export function createAllowanceStore({ redis, prefix, allowances }: AllowanceStoreOptions): AllowanceStore {
  const keys = createKeys(prefix);
  const run = createRunScript(redis);
  const { requestsPerUser, requestsPerTenant } = allowances;
  return {
    async take(tenant, user) {
      if (requestsPerUser === 0 && requestsPerTenant === 0) return;
      const turns = keys.turns(tenant);
      const answer = await run('take-turn', [turns.tenant, turns.of(user)], [requestsPerTenant, requestsPerUser]);
      const [whose, waitMs] = (answer as readonly Answer[]).map(String);
      if (whose === 'granted') return;
      throw tooMany(whose === 'tenant' ? { tenant } : { user }, allowances, Number(waitMs));
    },
  };
}

/** The refusal names the limit, its value and the setting. */
export function tooMany(
  whose: { readonly tenant: string } | { readonly user: string },
  { requestsPerUser, requestsPerTenant }: Allowances,
  waitMs: number,
): QuotaError {
  const [who, limit, setting] =
    'tenant' in whose
      ? [`Tenant "${whose.tenant}"`, requestsPerTenant, 'limits.requests_per_tenant']
      : [`User "${whose.user}"`, requestsPerUser, 'limits.requests_per_user'];
  const retryAfterSeconds = Math.max(1, Math.ceil(waitMs / 1_000));
  return new QuotaError(
    'request.too_many',
    `${who} has sent ${limit} requests within a minute, the limit of ${setting}; send again in ${retryAfterSeconds} s`,
    { retryAfterSeconds },
  );
}
