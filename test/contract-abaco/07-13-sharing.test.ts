/**
 * §7.13 with §§5.4, 7.12 and 11: what a search finds is what the permissions say when it is asked, world sharing and
 * the administrators' role included (§16), and what events made is found like what users sent.
 */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { worldUser } from '../../src/auth/permission.ts';
import { createEventDelivery } from '../../src/events/delivery.ts';
import { as, type Client, type RoleName, startClient } from '../support/abaco-client.ts';
import { askUntilComplete } from '../support/api-requests.ts';
import { takeMessage } from '../support/api-worker.ts';

let client: Client;

beforeAll(async () => {
  client = await startClient();
});

afterAll(async () => {
  await client[Symbol.asyncDispose]();
});

type Ids = Readonly<Record<'actors' | 'executions' | 'logs' | 'workers', readonly string[]>>;

/** What the user finds of one actor, in each kind of search. */
async function findOf(actorId: string, user: string, role: RoleName = 'user'): Promise<Ids> {
  const find = async (kind: string, query: string): Promise<readonly string[]> => {
    const question = { headers: as(user, role) };
    const answer = await askUntilComplete(client.api.app, `GET /actors/search/${kind}?${query}`, question);
    expect(answer.status, answer.text).toBe(200);
    const { _metadata, search } = answer.result as { _metadata: { total_count: number }; search: { id: string }[] };
    expect(_metadata.total_count).toBe(search.length);
    return search.map(({ id }) => id ?? 'log');
  };
  return {
    actors: await find('actors', `id=${actorId}`),
    executions: await find('executions', `actor_id=${actorId}`),
    logs: await find('logs', `actor_id=${actorId}`),
    workers: await find('workers', `actor_id=${actorId}`),
  };
}

const nothing: Ids = { actors: [], executions: [], logs: [], workers: [] };

async function grant(actorId: string, user: string, level: string): Promise<void> {
  const given = await client.send(`POST /actors/${actorId}/permissions`, as('olga'), { json: { user, level } });
  expect(given.status, given.text).toBe(200);
}

/** Olga's actor with an execution that ended, and a worker. */
async function makeFixture(): Promise<{ readonly actorId: string; readonly all: Ids }> {
  const actorId = await client.register();
  const sent = await client.send(`POST /actors/${actorId}/messages`, as('olga'), { json: { message: 'm' } });
  const played = await takeMessage(client.api, actorId, 'PHYSICS');
  await played.start();
  await played.end({ log: 'said', exitCode: 0 });
  const now = new Date();
  const worker = { tenant: 'PHYSICS', actorId, image: 'x', hostId: 'h', location: 'l', createTime: now } as const;
  await client.api.services.workers.save({ ...worker, id: `w${actorId}`, status: 'ready', lastHealthCheckTime: now });
  const all = { actors: [actorId], executions: [sent.result.execution_id], logs: ['log'], workers: [`w${actorId}`] };
  return { actorId, all };
}

describe('§7.13 a search', () => {
  it('finds for a stranger what READ was given on, and no more once it is taken away', async () => {
    const { actorId, all } = await makeFixture();
    expect(await findOf(actorId, 'olga')).toEqual(all);
    expect(await findOf(actorId, 'sam')).toEqual(nothing);
    await grant(actorId, 'sam', 'READ');
    expect(await findOf(actorId, 'sam')).toEqual(all);
    expect(await findOf(actorId, 'tom')).toEqual(nothing);
    await grant(actorId, 'sam', 'NONE');
    expect(await findOf(actorId, 'sam')).toEqual(nothing);
    expect(await findOf(actorId, 'olga')).toEqual(all);
  });

  it('finds for everybody what everybody may READ, while they may', async () => {
    const { actorId, all } = await makeFixture();
    await grant(actorId, worldUser, 'EXECUTE');
    expect(await findOf(actorId, 'sam')).toEqual(all);
    await grant(actorId, worldUser, 'NONE');
    expect(await findOf(actorId, 'sam')).toEqual(nothing);
  });

  it('finds everything of the tenant for administrators, and nothing for an owner who gave all away', async () => {
    const { actorId, all } = await makeFixture();
    await grant(actorId, 'olga', 'NONE');
    expect(await findOf(actorId, 'olga')).toEqual(nothing);
    expect(await findOf(actorId, 'ada', 'admin')).toEqual(all);
  });

  it('finds of a deleted actor nothing for who could read it, and for administrators what stays', async () => {
    const { api } = client;
    const actorId = await client.register();
    const path = `/actors/${actorId}`;
    const sent = await client.send(`POST ${path}/messages`, as('olga'), { json: { message: 'm' } });
    const played = await takeMessage(api, actorId, 'PHYSICS');
    await played.start();
    await played.end({ log: 'said' });
    const ref = { tenant: 'PHYSICS', actorId };
    // The supervisor's part: its container is removed.
    for (const entry of await api.services.mailbox.cleanups(ref)) await api.services.mailbox.cleanupDone(ref, entry);
    expect((await findOf(actorId, 'olga')).executions).toHaveLength(1);
    expect((await client.send(`DELETE ${path}`, as('olga'))).message).toBe('Actor deleted successfully.');
    expect(await findOf(actorId, 'olga')).toEqual(nothing);
    const left = await findOf(actorId, 'ada', 'admin');
    expect(left).toMatchObject({ actors: [], executions: [sent.result.execution_id] });
  });

  it('finds for who updated an actor what it has become', async () => {
    const { actorId } = await makeFixture();
    const json = { image: 'debian', description: 'new' };
    expect((await client.send(`PUT /actors/${actorId}`, as('ada', 'admin'), { json })).status).toBe(200);
    expect((await findOf(actorId, 'ada')).actors).toEqual([actorId]);
  });

  it('finds the execution that a link to an alias made', async () => {
    const { api } = client;
    const target = await client.register();
    await client.send('POST /actors/aliases', as('olga'), { json: { alias: 'told', actor_id: target } });
    const source = await client.register('olga', { link: 'told' });
    const delivery = createEventDelivery({
      ...api.services,
      aliasOf: async (tenant, alias) => (await api.services.aliases.get(tenant, alias))?.actorId,
      post: async () => ({ kind: 'delivered' }),
      nextExecutionId: () => api.services.ids.next(),
      checkpoint: async () => undefined,
      leaving: new AbortController().signal,
      settings: { ...api.services.config.events, apiServerOf: () => 'http://api' },
    });
    expect((await findOf(target, 'olga')).executions).toEqual([]);
    await delivery.deliver({ tenant: 'PHYSICS', actorId: source });
    const { executions } = await findOf(target, 'olga');
    expect(executions).toHaveLength(1);
    const shown = await client.send(`GET /actors/told/executions/${executions[0]}`, as('olga'));
    expect(shown.result).toMatchObject({ executor: 'Abaco Event', status: 'SUBMITTED' });
  });
});
