/**
 * Contract §7.15.
 *
 * Not offered: `/admin/dashboard`, a web application of its own that put an administrator's token into a form and
 * showed the listing of actors; the listings are here, and numbers to draw at `/metrics`. Ours beside the contract:
 * `skip` and `limit`, as an answer with every actor of all tenants has no bound. Not tested: `requested_workers` and
 * `error_workers` that are not 0: workers are there at once, and one that fails ends.
 */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { as, startClient } from '../support/abaco-client.ts';
import { ask, registerActor, sendMessage } from '../support/api-requests.ts';
import { type ApiService, startApiService } from '../support/api-service.ts';
import { takeMessage } from '../support/api-worker.ts';
import { claimsOf, makeTestKey, signToken } from '../support/tokens.ts';

const key = makeTestKey();
let api: ApiService;
let first: string;
let second: string;
let gone: string;

async function runOne(tenant: string, actorId: string): Promise<void> {
  await ask(api.app, `POST /actors/${actorId}/messages`, { json: { message: 'x' }, headers: { tenant } });
  const played = await takeMessage(api, actorId, tenant);
  await played.start();
  await played.end({ usage: { cpuMs: 2, maxMemoryBytes: 1, ioBytes: 10, runtimeMs: 3_500 } });
  // The supervisor's part: its container is removed.
  const actor = { tenant, actorId };
  for (const entry of await api.services.mailbox.cleanups(actor)) await api.services.mailbox.cleanupDone(actor, entry);
}

beforeAll(async () => {
  const open = ['DEV', 'OPS'].map((name) => `[tenants.${name}]\nmode = "none"`);
  const campus = `[tenants.CAMPUS]\npublic_key = """${key.publicPem}"""`;
  api = await startApiService({ siteFile: [...open, campus].join('\n') });
  first = await registerActor(api, { name: 'first' });
  second = await registerActor(api, { stateless: false }, { tenant: 'OPS' });
  gone = await registerActor(api);
  await runOne('DEV', first);
  await runOne('DEV', first);
  await runOne('DEV', gone);
  await sendMessage(api, first);
  await ask(api.app, `DELETE /actors/${gone}`);
  const now = new Date();
  const worker = { tenant: 'DEV', actorId: first, image: 'x', hostId: 'h', location: 'l', createTime: now };
  await api.services.workers.save({ ...worker, id: 'wOne', status: 'busy', lastHealthCheckTime: now });
  // Of a stateful actor there is one at most, whatever was asked for when it was not.
  await api.services.workers.want({ tenant: 'DEV', actorId: first }, 4);
  await api.services.workers.want({ tenant: 'OPS', actorId: second }, 3);
});
afterAll(() => api[Symbol.asyncDispose]());

describe('7.15 GET /actors/admin', () => {
  it('lists the actors of all tenants whole, with workers, messages and sums', async () => {
    const { status, message, result, headers } = await ask(api.app, 'GET /actors/admin');
    expect([status, message]).toEqual([200, 'Actors retrieved successfully.']);
    expect(headers['x-total-count']).toBe('2');
    const [one, two] = result;
    expect(one).toMatchObject({
      id: first,
      db_id: `DEV_${first}`,
      tenant: 'DEV',
      name: 'first',
      mem_limit: null,
      messages: 1,
      executions: 3,
      runtime: 7,
      workers: [{ id: 'wOne', status: 'BUSY' }],
    });
    expect(one.create_time).toMatch(/^\d{4}-\d\d-\d\dT[\d:]+\.\d{3}Z$/);
    expect(one).not.toHaveProperty('_links');
    expect(two).toMatchObject({ id: second, tenant: 'OPS', state: {}, messages: 0, executions: 0, workers: [] });
  });

  it('comes in pages', async () => {
    const { result, headers } = await ask(api.app, 'GET /actors/admin?skip=1&limit=1');
    expect(result.map(({ id }: { id: string }) => id)).toEqual([second]);
    expect(headers['x-total-count']).toBe('2');
    expect((await ask(api.app, 'GET /actors/admin?limit=-1')).status).toBe(400);
  });
});

describe('7.15 GET /actors/admin in camel form', () => {
  it('keeps its nulls, unlike everything else', async () => {
    await using camel = await startClient('case = "camel"\n');
    await camel.register();
    const { result } = await camel.send('GET /actors/admin', as('root', 'admin'));
    expect(result[0]).toMatchObject({ memLimit: null, maxWorkers: null, dbId: expect.stringMatching(/^PHYSICS_/) });
    expect(result[0]).not.toHaveProperty('_links');
  });
});

describe('7.15 GET /actors/admin/workers', () => {
  it('counts workers by status and lists them with their actors', async () => {
    const { message, result } = await ask(api.app, 'GET /actors/admin/workers');
    expect(message).toBe('Workers retrieved successfully.');
    expect(result.summary).toEqual({
      total_workers: 1,
      ready_workers: 0,
      requested_workers: 4,
      error_workers: 0,
      busy_workers: 1,
      actors_no_workers: 1,
    });
    expect(result.workers).toMatchObject([{ id: 'wOne', actor_id: first, actor_dbid: `DEV_${first}`, tenant: 'DEV' }]);
  });
});

describe('7.15 GET /actors/admin/executions', () => {
  it('sums what has ended, of all actors that were and of those there are', async () => {
    const { message, result } = await ask(api.app, 'GET /actors/admin/executions');
    expect(message).toBe('Executions retrieved successfully.');
    expect(result.summary).toEqual({
      total_actors_all: 3,
      total_actors_all_with_executions: 2,
      total_executions_all: 3,
      total_execution_runtime_all: 10,
      total_execution_cpu_all: 6_000_000,
      total_execution_io_all: 30,
      total_actors_existing: 2,
      total_actors_existing_with_executions: 1,
      total_executions_existing: 2,
      total_execution_runtime_existing: 7,
      total_execution_cpu_existing: 4_000_000,
      total_execution_io_existing: 20,
    });
    expect(result.actors).toEqual([
      {
        actor_id: first,
        owner: 'anonymous',
        image: 'debian:trixie-slim',
        total_executions: 2,
        total_execution_cpu: 4_000_000,
        total_execution_io: 20,
        total_execution_runtime: 7,
      },
      expect.objectContaining({ actor_id: second, total_executions: 0 }),
    ]);
  });
});

describe('7.15 all of them', () => {
  it.each(['/actors/admin', '/actors/admin/workers', '/actors/admin/executions'])('need the role: %s', async (path) => {
    const withRoles = (roles: string) => {
      const claims = claimsOf('jane', { 'http://wso2.org/claims/role': roles });
      return { headers: { 'x-jwt-assertion-campus': signToken(key.privateKey, { claims }) } };
    };
    const refused = await ask(api.app, `GET ${path}`, withRoles('Internal/everyone,Internal/abaco-privileged'));
    expect([refused.status, refused.message]).toEqual([400, 'Abaco Admin role required.']);
    expect((await ask(api.app, `GET ${path}`, withRoles('Internal/abaco-admin'))).status).toBe(200);
  });
});
