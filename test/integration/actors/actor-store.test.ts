import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ActorStore, createActorStore } from '../../../src/actors/actor-store.ts';
import { openRedis } from '../../../src/storage/redis.ts';
import { anActorDraft } from '../../support/mailbox-bench.ts';
import { programAvailable } from '../../support/program.ts';
import { startRedis, type TestRedis } from '../../support/redis-server.ts';
import { requireService } from '../../support/services.ts';

const prefix = 'actors';

describe.runIf(requireService('redis', await programAvailable('redis-server')))('actor store', () => {
  let server: TestRedis;
  let redis: Awaited<ReturnType<typeof openRedis>>;
  let ours: ActorStore;
  let others: ActorStore;
  beforeAll(async () => {
    server = await startRedis({ appendfsync: 'off' });
    redis = await openRedis({ url: server.url, onError: () => undefined });
    ours = createActorStore({ redis, prefix });
    others = createActorStore({ redis, prefix });
  });
  afterAll(async () => {
    redis?.disconnect();
    await server?.[Symbol.asyncDispose]();
  });

  it('shows what others have changed since it read the actor, whatever it is', async () => {
    const draft = { ...anActorDraft(), id: 'changed', stateless: false };
    const { tenant } = draft;
    const ref = { tenant, actorId: 'changed' };
    const read = async () => await ours.get(tenant, 'changed');
    await ours.create(draft);

    expect(await read()).toMatchObject({ status: 'submitted', stateVersion: 0 });
    await others.markWaiting(ref, 1, { cause: 'image', since: new Date(0), owner: 'service', next: 'pull' });
    expect(await read()).toMatchObject({ wait: { cause: 'image' } });
    await others.markReady(ref, 1, 'sha256:1');
    expect(await read()).toMatchObject({ status: 'ready', digest: 'sha256:1' });
    expect(await read()).not.toHaveProperty('wait');
    await others.setState(ref, '{"count":1}');
    expect(await read()).toMatchObject({ stateVersion: 1 });
    await others.replace({ ...draft, description: 'other' }, true);
    expect(await read()).toMatchObject({ status: 'submitted', revision: 2, description: 'other' });
    await others.remove(ref);
    expect(await read()).toBeUndefined();
  });

  it('knows nothing of what it read before the server lost its last writes', async () => {
    const draft = { ...anActorDraft(), id: 'lost' };
    await ours.create({ ...draft, description: 'lost' });
    expect(await ours.get(draft.tenant, 'lost')).toMatchObject({ description: 'lost' });
    await redis.flushall();
    const connected = once(redis, 'ready');
    redis.disconnect(true);
    await connected;
    await others.create({ ...draft, description: 'kept' });
    expect(await ours.get(draft.tenant, 'lost')).toMatchObject({ description: 'kept' });
  });
});
