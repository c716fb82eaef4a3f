import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createKeys } from '../../../src/mailbox/keys.ts';
import { createRoomStore, type RoomStore } from '../../../src/mailbox/room-store.ts';
import { openRedis } from '../../../src/storage/redis.ts';
import { programAvailable } from '../../support/program.ts';
import { startRedis, type TestRedis } from '../../support/redis-server.ts';
import { requireService } from '../../support/services.ts';
import { until } from '../../support/until.ts';

const prefix = 'room';
const keys = createKeys(prefix);

describe.runIf(requireService('redis', await programAvailable('redis-server')))('room store', () => {
  let server: TestRedis;
  let redis: Redis;
  beforeAll(async () => {
    server = await startRedis({ appendfsync: 'off', cluster: true });
    redis = await openRedis({ url: server.url, onError: () => undefined });
  });
  afterAll(async () => {
    redis?.disconnect();
    await server?.[Symbol.asyncDispose]();
  });

  const storeOf = (queuedPerTenant: number): RoomStore =>
    createRoomStore({ redis, prefix, limits: { queuedPerUser: 0, queuedPerTenant } });

  /** As many messages wait for it then. */
  async function wait(tenant: string, actorId: string, messages: number): Promise<void> {
    await redis.sadd(keys.actorsOf(tenant), actorId);
    for (let place = 1; place <= messages; place += 1) {
      await redis.zadd(keys.of({ tenant, actorId }).mailbox, place, `${place}`);
    }
  }

  async function left(store: RoomStore, tenant: string): Promise<number> {
    const room = await store.take({ tenant, actorId: 'a' }, 10_000);
    room.close(0);
    return room.messages;
  }

  it('adds up more mailboxes than it asks for at once, and empty ones', async () => {
    const ids = Array.from({ length: 1_201 }, (_, index) => `a${index}`);
    await Promise.all(ids.map(async (id, index) => await wait('MANY', id, index % 2)));
    expect(await left(storeOf(1_000), 'MANY')).toBe(400);
  });

  it('sees what others have posted at its next count, and what is about to be posted at every one', async () => {
    const store = storeOf(10);
    const room = await store.take({ tenant: 'OTHERS', actorId: 'a' }, 4);
    expect(await left(store, 'OTHERS')).toBe(6);
    await wait('OTHERS', 'a', 3);
    expect(await left(storeOf(10), 'OTHERS')).toBe(7);
    await until(async () => (await left(store, 'OTHERS')) === 3, { what: 'the next count' });
    room.close(1);
    expect(await left(store, 'OTHERS')).toBe(6);
  });

  it('gives no more room than there is, and says whose limit it was', async () => {
    const store = storeOf(3);
    const first = await store.take({ tenant: 'FULL', actorId: 'a' }, 2);
    const second = await store.take({ tenant: 'FULL', actorId: 'a' }, 2);
    expect([first.messages, first.refusal, second.messages]).toEqual([2, undefined, 1]);
    expect(second.refusal?.message).toContain('Actors of tenant "FULL" have 3 messages waiting');
  });

  it('counts anew after a count that Redis did not answer', async () => {
    const store = storeOf(3);
    await redis.set(keys.actorsOf('BROKEN'), 'no set');
    await expect(left(store, 'BROKEN')).rejects.toThrow('WRONGTYPE');
    await redis.del(keys.actorsOf('BROKEN'));
    expect(await left(store, 'BROKEN')).toBe(3);
  });
});
