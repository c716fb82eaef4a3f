/** Links to what is gone: cleared, so that who takes the name next is told nothing of what others run. */

import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createActorStore } from '../../../src/actors/actor-store.ts';
import { createLinkStore } from '../../../src/actors/link-store.ts';
import { createEventDelivery } from '../../../src/events/delivery.ts';
import { createKeys } from '../../../src/mailbox/keys.ts';
import { as, type Client, startClient } from '../../support/abaco-client.ts';
import { takeMessage } from '../../support/api-worker.ts';

const keys = createKeys('abaco');
const tenant = 'PHYSICS';

let client: Client;
let redis: Redis;
let names = 0;

beforeAll(async () => {
  client = await startClient();
  redis = new Redis(client.api.redis.url);
});

afterAll(async () => {
  redis?.disconnect();
  await client[Symbol.asyncDispose]();
});

async function name(actor: string, alias = `name-${(names += 1)}`, user = 'olga'): Promise<string> {
  const { status, text } = await client.send('POST /actors/aliases', as(user), { json: { alias, actor_id: actor } });
  expect(status, text).toBe(200);
  return alias;
}

const remove = async (path: string) =>
  expect((await client.send(`DELETE /actors/${path}`, as('olga'))).status).toBe(200);
const actorOf = async (id: string) => (await client.send(`GET /actors/${id}`, as('olga'))).result;

async function deliver(actorId: string): Promise<void> {
  const { services } = client.api;
  const delivery = createEventDelivery({
    ...services,
    aliasOf: async (of, alias) => (await services.aliases.get(of, alias))?.actorId,
    post: async () => ({ kind: 'delivered' }),
    nextExecutionId: () => services.ids.next(),
    checkpoint: async () => undefined,
    leaving: new AbortController().signal,
    settings: { ...services.config.events, apiServerOf: () => 'http://api' },
  });
  await delivery.deliver({ tenant, actorId });
  expect(await services.mailbox.load({ tenant, actorId })).toMatchObject({ owesEvents: false });
}

async function endOne(actorId: string): Promise<void> {
  await client.send(`POST /actors/${actorId}/messages`, as('olga'), { json: { message: 'm' } });
  const played = await takeMessage(client.api, actorId, tenant);
  await played.end();
}

/** A stranger takes the alias for an actor on which everybody may EXECUTE. @returns its actor. */
async function takeOver(alias: string): Promise<string> {
  const actor = await client.register('mallory');
  const json = { user: 'ABACO_WORLD', level: 'EXECUTE' };
  await client.send(`POST /actors/${actor}/permissions`, as('mallory'), { json });
  await name(actor, alias, 'mallory');
  return actor;
}

function bound(target: Redis, key: string | symbol): unknown {
  const value: unknown = Reflect.get(target, key);
  return typeof value === 'function' ? (value.bind(target) as unknown) : value;
}

const waiting = async (actorId: string) => await client.api.services.mailbox.depth({ tenant, actorId });

describe('a link', () => {
  it('to an actor that is deleted is cleared, and nothing else of who had it', async () => {
    const target = await client.register();
    const source = await client.register('olga', { link: target, description: 'd', hints: [] });
    const other = await client.register('olga', { link: source });
    const before = await actorOf(source);
    await remove(target);
    expect(await actorOf(source)).toEqual({ ...before, link: '' });
    expect(await actorOf(other)).toMatchObject({ link: source });
  });

  it('to an alias that is deleted is cleared, and who takes the alias is told nothing', async () => {
    const target = await client.register();
    const alias = await name(target);
    const source = await client.register('olga', { link: alias });
    await remove(`aliases/${alias}`);
    expect(await actorOf(source)).toMatchObject({ link: '' });
    const thief = await takeOver(alias);
    await endOne(source);
    await deliver(source);
    expect([await waiting(target), await waiting(thief)]).toEqual([0, 0]);
  });

  it('to an alias whose actor is deleted is cleared', async () => {
    const target = await client.register();
    const alias = await name(target);
    const source = await client.register('olga', { link: alias });
    await remove(target);
    expect(await actorOf(source)).toMatchObject({ link: '' });
  });

  it('leads to nobody for what came about before its alias was freed, also where it is another since', async () => {
    const target = await client.register();
    const alias = await name(target);
    const sources = [await client.register('olga', { link: alias }), await client.register('olga', { link: alias })];
    const json = { image: 'debian', link: target };
    expect((await client.send(`PUT /actors/${sources[1]}`, as('olga'), { json })).status).toBe(200);
    await remove(`aliases/${alias}`);
    const thief = await takeOver(alias);
    for (const source of sources) await deliver(source);
    expect(await waiting(thief)).toBe(0);
    expect(await actorOf(sources[1] ?? '')).toMatchObject({ link: target });
  });

  it.each([
    ['', []],
    [', also where it is of before links were kept by their names', [keys.linksTo(tenant), keys.linkedTenants]],
  ])('to an alias that was freed by who died then is cleared before anybody has the alias%s', async (_how, unknown) => {
    const target = await client.register();
    const alias = await name(target);
    const source = await client.register('olga', { link: alias });
    await redis.hdel(keys.aliases(tenant), alias);
    await redis.srem(keys.aliasesOf({ tenant, actorId: target }), alias);
    for (const key of unknown) await redis.del(key);
    const thief = await takeOver(alias);
    expect(await actorOf(source)).toMatchObject({ link: '' });
    await deliver(source);
    expect(await waiting(thief)).toBe(0);
  });

  it('to an alias that is freed while the link is made is cleared before anybody has the alias', async () => {
    const { aliases, actors } = client.api.services;
    const alias = await name(await client.register());
    const source = await client.register();
    const [draft, freed] = await Promise.all([actors.get(tenant, source), aliases.get(tenant, alias)]);
    if (!draft || !freed) throw new Error('They were just made');
    const zadd = async (...args: Parameters<Redis['zadd']>) => {
      const added = await redis.zadd(...args);
      await aliases.remove(freed);
      return added;
    };
    const slow = new Proxy(redis, {
      get: (target, key) => (key === 'zadd' ? zadd : bound(target, key)),
    });
    await createActorStore({ redis: slow, prefix: 'abaco' }).replace({ ...draft, link: alias }, false);
    await takeOver(alias);
    expect(await actorOf(source)).toMatchObject({ link: '' });
  });

  it('to an alias that somebody has taken since stays, however late its freeing ends', async () => {
    const alias = await name(await client.register());
    const source = await client.register('olga', { link: alias });
    await createLinkStore({ redis, prefix: 'abaco' }).clear(tenant, alias);
    expect(await actorOf(source)).toMatchObject({ link: alias });
  });

  it('of before links were kept by their names is cleared too', async () => {
    const alias = await name(await client.register());
    const source = await client.register('olga', { link: alias });
    await redis.del(keys.linksTo(tenant), keys.linkedTenants);
    await remove(`aliases/${alias}`);
    expect(await actorOf(source)).toMatchObject({ link: '' });
  });

  it("by an alias is the alias, whatever that stands for: new links to a name that was taken over are its new owner's", async () => {
    const alias = await name(await client.register());
    await client.register('olga', { link: alias });
    await remove(`aliases/${alias}`);
    const taker = await takeOver(alias);
    const source = await client.register('olga', { link: alias });
    await deliver(source);
    expect(await waiting(taker)).toBe(1);
  });

  it('leaves no trace where it was, once its actor is gone', async () => {
    const target = await client.register();
    const source = await client.register('olga', { link: target });
    await deliver(source);
    const member = `${target}\0${source}`;
    expect(await redis.zscore(keys.linksTo(tenant), member)).toBe('0');
    await remove(source);
    expect(await redis.zscore(keys.linksTo(tenant), member)).toBeNull();
  });
});
