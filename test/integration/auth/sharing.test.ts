/** Permissions, nonces and aliases on a cluster of Redis, where a script that touches two slots fails. */

import { tmpdir } from 'node:os';
import type { Redis } from 'ioredis';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AliasStore, createAliasStore } from '../../../src/actors/alias-store.ts';
import { describeForSearch } from '../../../src/api/search-fields.ts';
import { createNonceId } from '../../../src/auth/nonce.ts';
import { createNonceStore, type NonceStore } from '../../../src/auth/nonce-store.ts';
import { type ObjectRef, worldUser } from '../../../src/auth/permission.ts';
import { createPermissionStore, type PermissionStore } from '../../../src/auth/permission-store.ts';
import { createOutbox } from '../../../src/history/outbox.ts';
import type { ActorRef } from '../../../src/mailbox/keys.ts';
import { createBlobStore } from '../../../src/storage/blob-store.ts';
import { type MailboxBench, openMailboxBench } from '../../support/mailbox-bench.ts';
import { programAvailable } from '../../support/program.ts';
import { startRedis, type TestRedis } from '../../support/redis-server.ts';
import { requireService } from '../../support/services.ts';

describe.runIf(requireService('redis', await programAvailable('redis-server')))('what is shared', () => {
  let server: TestRedis;
  let bench: MailboxBench;
  let redis: Redis;
  let permissions: PermissionStore;
  let nonces: NonceStore;
  let aliases: AliasStore;

  beforeAll(async () => {
    server = await startRedis({ cluster: true, appendfsync: 'off' });
    bench = await openMailboxBench(server.url);
    redis = bench.redis;
    const stores = { redis, prefix: 'test' };
    permissions = createPermissionStore(stores);
    nonces = createNonceStore(stores);
    aliases = createAliasStore(stores);
  });

  afterAll(async () => {
    await bench[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  const objectOf = ({ tenant, actorId }: ActorRef): ObjectRef => ({ kind: 'actor', tenant, id: actorId });
  const aNonce = (object: ObjectRef) => ({
    id: createNonceId('DEV'),
    object,
    owner: 'alice',
    roles: [],
    level: 'EXECUTE' as const,
    maxUses: 1,
    description: '',
    createTime: new Date(0),
  });

  it('leaves no key once the outbox has seen its actor deleted, also when nobody else cleaned up', async () => {
    const actor = await bench.newActor();
    const object = objectOf(actor);
    for (const user of ['jane', 'joe', worldUser]) await permissions.grant(object, user, 'READ');
    expect(await aliases.create({ tenant: 'DEV', alias: 'mine', actorId: actor.actorId, owner: 'alice' })).toBe(
      'created',
    );
    const alias: ObjectRef = { kind: 'alias', tenant: 'DEV', id: 'mine' };
    await permissions.grant(alias, 'jane', 'UPDATE');
    for (const one of [object, alias]) expect(await nonces.add(aNonce(one))).toBe('added');
    expect(await bench.actors.listShared('DEV', 'joe', { most: 10, wanted: () => true })).toMatchObject({ total: 1 });
    // The process that was asked to delete it dies here.
    expect(await bench.actors.remove(actor)).toBe('deleted');
    const written: (object | null)[] = [];
    const outbox = createOutbox({
      mailbox: bench.mailbox,
      actors: bench.actors,
      executions: bench.executions,
      history: {
        write: async ({ registry }) => void written.push(...registry.map(({ record }) => record)),
        expiredBlobs: async () => [],
        expireLogs: async () => ({ count: 0, blobs: [] }),
        expireLogsOf: async () => undefined,
      },
      permissions,
      describe: describeForSearch,
      blobs: createBlobStore({ dir: tmpdir() }),
      logExpiresAt: async () => undefined,
      news: bench.news,
      batch: 10,
      intervalMs: 10,
      log: pino({ level: 'silent' }),
    });
    await outbox.drain();
    expect(written).toEqual([null]);
    const left = (await redis.keys('*')).filter((key) => !/^test:(tenants|process|registered)/.test(key));
    expect(left).toEqual([]);
  });

  it('is in the record that the history is owed', async () => {
    const actor = await bench.newActor();
    await permissions.grant(objectOf(actor), 'jane', 'EXECUTE');
    await aliases.create({ tenant: 'DEV', alias: 'named', actorId: actor.actorId, owner: 'alice' });
    expect((await bench.mailbox.owed(actor, 10)).at(-1)).not.toHaveProperty('executionId');
    const { record } = await bench.actors.registryRecord(actor, 1);
    expect(record).toMatchObject({ permissions: { alice: '3', jane: '2' }, aliases: ['named'] });
  });

  it('is given on nothing that is gone', async () => {
    const actor = await bench.newActor();
    const object = objectOf(actor);
    await bench.actors.remove(actor);
    await bench.actors.release(actor);
    expect(await permissions.grant(object, 'late', 'READ')).toBe('gone');
    expect(await nonces.add(aNonce(object))).toBe('gone');
    expect(await redis.exists('test:{DEV}:shared:late')).toBe(0);
    expect(await aliases.create({ tenant: 'DEV', alias: 'late', actorId: actor.actorId, owner: 'alice' })).toBe('gone');
    expect(await aliases.get('DEV', 'late')).toBeUndefined();
    const alias: ObjectRef = { kind: 'alias', tenant: 'DEV', id: 'late' };
    expect(await permissions.grant(alias, 'jane', 'READ')).toBe('gone');
    expect(await nonces.add(aNonce(alias))).toBe('gone');
  });

  it('is an alias that changes only as it was read', async () => {
    const [one, other] = [await bench.newActor(), await bench.newActor()];
    const alias = { tenant: 'DEV', alias: 'moving', actorId: one.actorId, owner: 'alice' };
    await aliases.create(alias);
    expect(await aliases.move(alias, other.actorId, 'bob')).toBe('moved');
    expect(await aliases.move(alias, one.actorId, 'bob')).toBe('changed');
    expect(await aliases.remove(alias)).toBe('changed');
    expect(await aliases.namesOf(one)).toEqual([]);
    expect(await aliases.namesOf(other)).toEqual(['moving']);
    // The deletion of the actor it stood for before leaves it alone.
    await aliases.removeAllOf(one);
    expect(await aliases.get('DEV', 'moving')).toMatchObject({ actorId: other.actorId });
  });
});
