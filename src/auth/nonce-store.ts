/** Nonces in Redis: one hash beside each actor and alias, which goes with it. */

import type { Redis } from 'ioredis';
import { optional } from '../lib/optional.ts';
import { createKeys } from '../mailbox/keys.ts';
import { type Answer, createRunScript } from '../mailbox/scripts.ts';
import { throwRedisError } from '../storage/redis.ts';
import { type CountedNonce, digestOfNonce, type Nonce } from './nonce.ts';
import { type ObjectRef, type Permission, rankOf } from './permission.ts';
import { sharedKeysOf } from './permission-store.ts';

export type Redemption =
  | { readonly kind: 'redeemed'; readonly nonce: Nonce }
  | { readonly kind: 'unknown' | 'too-low' | 'used-up' };

export interface NonceStore {
  add(nonce: Nonce): Promise<'added' | 'gone'>;
  /** Those of one thing, the oldest first. */
  list(object: ObjectRef): Promise<readonly CountedNonce[]>;
  get(object: ObjectRef, id: string): Promise<CountedNonce | undefined>;
  /** @returns whether there was one. */
  remove(object: ObjectRef, id: string): Promise<boolean>;
  /** Spends a use; of many that ask for the last one at once, one gets it. */
  redeem(object: ObjectRef, id: string, need: Permission): Promise<Redemption>;
}

type Stored = Omit<Nonce, 'createTime'> & { readonly createTime: number };

/** Fields that follow the digest of an id. */
const counts = ['level', 'most', 'uses', 'last'] as const;

export function createNonceStore({ redis, prefix }: { readonly redis: Redis; readonly prefix: string }): NonceStore {
  const keys = createKeys(prefix);
  const run = createRunScript(redis);
  const noncesOf = (object: ObjectRef): string => sharedKeysOf(keys, object).nonces;

  return {
    async add(nonce) {
      const { object } = nonce;
      const ofActor = object.kind === 'actor';
      const holder = ofActor
        ? keys.of({ tenant: object.tenant, actorId: object.id }).actor
        : keys.aliases(object.tenant);
      const record: Stored = { ...nonce, createTime: nonce.createTime.getTime() };
      const answer = await run(
        'add-nonce',
        [holder, noncesOf(object)],
        [
          ofActor ? 'status' : object.id,
          digestOfNonce(nonce.id),
          rankOf(nonce.level),
          nonce.maxUses,
          JSON.stringify(record),
        ],
      );
      return String(answer) as 'added' | 'gone';
    },

    async list(object) {
      const fields = await redis.hgetall(noncesOf(object)).catch(throwRedisError);
      return Object.entries(fields)
        .filter(([name]) => !name.includes(':'))
        .map(([digest, record]) => readCounted(record, fields[`${digest}:uses`], fields[`${digest}:last`]))
        .toSorted((one, other) => one.createTime.getTime() - other.createTime.getTime());
    },

    async get(object, id) {
      const digest = digestOfNonce(id);
      const [record, uses, last] = await redis
        .hmget(noncesOf(object), digest, `${digest}:uses`, `${digest}:last`)
        .catch(throwRedisError);
      return record ? readCounted(record, uses, last) : undefined;
    },

    async remove(object, id) {
      const digest = digestOfNonce(id);
      const fields = [digest, ...counts.map((count) => `${digest}:${count}`)];
      return (await redis.hdel(noncesOf(object), ...fields).catch(throwRedisError)) > 0;
    },

    async redeem(object, id, need) {
      const answer = await run('redeem-nonce', [noncesOf(object)], [digestOfNonce(id), rankOf(need)]);
      const [kind, record] = Array.isArray(answer) ? (answer as readonly Answer[]).map(String) : [String(answer)];
      if (kind === 'redeemed' && record !== undefined) return { kind, nonce: readNonce(record) };
      return { kind: kind as 'unknown' | 'too-low' | 'used-up' };
    },
  };
}

function readCounted(record: string, uses: string | null | undefined, last: string | null | undefined): CountedNonce {
  return {
    ...readNonce(record),
    uses: Number(uses ?? 0),
    ...optional('lastUseTime', last ? new Date(Number(last)) : undefined),
  };
}

function readNonce(record: string): Nonce {
  const stored = JSON.parse(record) as Stored;
  return { ...stored, createTime: new Date(stored.createTime) };
}
