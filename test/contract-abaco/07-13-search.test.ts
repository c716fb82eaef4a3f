/**
 * Contract §7.13, and the listings of §§7.2, 7.8, 7.9 and 7.11 that become searches. Who finds what by which
 * permission, world sharing and administrators included, is in 07-13-sharing.test.ts; names in camel form are in
 * 02-case.test.ts; every form of a time in unit/api/broad-time.test.ts.
 *
 * Not as the original, all of it mended as §16 has it: an entry NONE finds nothing; `actor_id` takes the plain id too,
 * and an alias in the path finds what the id finds; `_links.logs` of an execution leads to its log; an unknown type and
 * what is no number in `skip` and `limit` are 400. And a bound of ours: `limit` above 1,000 counts as 1,000, which
 * `record_limit` says, and `skip` above 100,000 is 400, since an answer, and what has to be sorted for it, would have no
 * end in a tenant with millions of executions; who wants what is further back filters by time. Not tested: how words are stemmed and weighed, where the original's
 * Mongo text index and ours differ by nature (order by more of the words is); that sorting parameters do not exist,
 * since each would be a filter.
 */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, askUntilComplete, registerActor } from '../support/api-requests.ts';
import { type ApiService, startApiService } from '../support/api-service.ts';
import { takeMessage } from '../support/api-worker.ts';
import { claimsOf, makeTestKey, signToken } from '../support/tokens.ts';

const key = makeTestKey();
let api: ApiService;
let tenants = 0;

beforeAll(async () => {
  const lines = ['[tenants.DEV]', 'mode = "none"', '[tenants.OPEN]', 'mode = "none"', '[tenants.CAMPUS]'];
  const site = [...lines, `public_key = """${key.publicPem}"""`, '[auth]', 'user_role = "Internal/everyone"'];
  const more = Array.from({ length: 40 }, (_, index) => `[tenants.T${index}]\nmode = "none"`);
  api = await startApiService({ siteFile: [...site, ...more].join('\n') });
});
afterAll(() => api[Symbol.asyncDispose]());

/** Each test has a tenant of its own. */
function newTenant(): string {
  tenants += 1;
  return `T${tenants - 1}`;
}

// oxlint-disable-next-line typescript/no-explicit-any -- the wire is untyped
type Found = { readonly _metadata: any; readonly search: readonly any[] };

async function search(tenant: string, path: string, headers: Record<string, string> = {}): Promise<Found> {
  const { status, text, result } = await askUntilComplete(api.app, `GET /actors/${path}`, {
    headers: { tenant, ...headers },
  });
  expect(status, text).toBe(200);
  return result;
}

const found = async (tenant: string, path: string): Promise<string[]> =>
  (await search(tenant, path)).search.map(({ id }) => id);

async function send(tenant: string, actorId: string, message = 'hello'): Promise<string> {
  const question = { json: { message }, headers: { tenant } };
  return (await ask(api.app, `POST /actors/${actorId}/messages`, question)).result.execution_id;
}

/** Sends a message and takes its execution to the end. */
async function run(tenant: string, actorId: string, log = '', exitCode = 0): Promise<string> {
  const id = await send(tenant, actorId);
  const played = await takeMessage(api, actorId, tenant);
  await played.start();
  await played.end({ log, exitCode, usage: { cpuMs: 5, maxMemoryBytes: 1, ioBytes: 7, runtimeMs: 2_000 } });
  return id;
}

describe('7.13 GET /actors/search/{type}', () => {
  it('answers with a page and how many there are', async () => {
    const tenant = newTenant();
    const ids = [await registerActor(api, {}, { tenant }), await registerActor(api, {}, { tenant })];
    const { status, message, result } = await askUntilComplete(api.app, 'GET /actors/search/actors', {
      headers: { tenant },
    });
    expect([status, message]).toEqual([200, 'Search completed successfully.']);
    expect(result._metadata).toEqual({ total_count: 2, records_skipped: 0, record_limit: 100, count_returned: 2 });
    expect(result.search.map(({ id }: { id: string }) => id)).toEqual(ids);
    expect(await search(tenant, 'search/actors?skip=1&limit=1')).toMatchObject({
      _metadata: { total_count: 2, records_skipped: 1, record_limit: 1, count_returned: 1 },
      search: [{ id: ids[1] }],
    });
  });

  it('gives 1,000 at most, and says so', async () => {
    const tenant = newTenant();
    const ids: string[] = [];
    for (let index = 0; index < 3; index += 1) ids.push(await registerActor(api, {}, { tenant }));
    const limitOf = async (query: string) => (await search(tenant, `search/actors?${query}`))._metadata.record_limit;
    expect(await limitOf('limit=1000')).toBe(1_000);
    expect(await limitOf('limit=1001')).toBe(1_000);
    expect(await search(tenant, 'search/actors?limit=5000')).toMatchObject({
      _metadata: { total_count: 3, records_skipped: 0, record_limit: 1_000, count_returned: 3 },
      search: ids.map((id) => ({ id })),
    });
    expect(await search(tenant, 'search/actors?skip=100000')).toMatchObject({
      _metadata: { total_count: 3, records_skipped: 100_000, count_returned: 0 },
      search: [],
    });
  });

  it('shows actors as GET does, nulls kept, with their links', async () => {
    const tenant = newTenant();
    const id = await registerActor(api, { name: 'one', stateless: false, default_environment: { a: 'b' } }, { tenant });
    await ask(api.app, `POST /actors/${id}/state`, { json: { count: 3 }, headers: { tenant } });
    const { result } = await ask(api.app, `GET /actors/${id}`, { headers: { tenant } });
    const {
      search: [first],
    } = await search(tenant, 'search/actors');
    expect(first).toEqual(result);
    expect(await found(tenant, 'search/actors?state.count=3')).toEqual([id]);
  });

  it('shows executions without tenant and api_server, and links to the right log', async () => {
    const tenant = newTenant();
    const actorId = await registerActor(api, {}, { tenant });
    const id = await run(tenant, actorId);
    const { result } = await ask(api.app, `GET /actors/${actorId}/executions/${id}`, { headers: { tenant } });
    const { api_server: _server, ...expected } = result;
    const {
      search: [first],
    } = await search(tenant, 'search/executions');
    expect(first).toEqual(expected);
    expect(first._links.logs).toContain(`/actors/v2/${actorId}/executions/${id}/logs`);
  });

  it('sees every write that was answered before it, from the submission to the end', async () => {
    const tenant = newTenant();
    const actorId = await registerActor(api, {}, { tenant });
    const statuses = async () => (await search(tenant, 'search/executions')).search.map(({ status }) => status);
    expect(await statuses()).toEqual([]);
    await send(tenant, actorId);
    expect(await statuses()).toEqual(['SUBMITTED']);
    const played = await takeMessage(api, actorId, tenant);
    await played.start();
    expect(await statuses()).toEqual(['RUNNING']);
    await played.end();
    expect(await statuses()).toEqual(['COMPLETE']);
    await send(tenant, actorId);
    await ask(api.app, `DELETE /actors/${actorId}/messages`, { headers: { tenant } });
    expect(await statuses()).toEqual(['COMPLETE', 'COMPLETE']);
  });

  it('does not find a deleted actor', async () => {
    const tenant = newTenant();
    const actorId = await registerActor(api, {}, { tenant });
    await ask(api.app, `DELETE /actors/${actorId}`, { headers: { tenant } });
    expect(await found(tenant, 'search/actors')).toEqual([]);
  });

  it('takes digits for a number, which no text equals, and in quotes for a text', async () => {
    const tenant = newTenant();
    const id = await registerActor(api, { name: '7' }, { tenant });
    expect(await found(tenant, 'search/actors?name=7')).toEqual([]);
    expect(await found(tenant, 'search/actors?name="7"')).toEqual([id]);
  });

  it('finds by an alias in the path what it finds by the id', async () => {
    const tenant = newTenant();
    const actorId = await registerActor(api, {}, { tenant });
    const json = { alias: 'found', actor_id: actorId };
    await ask(api.app, 'POST /actors/aliases', { json, headers: { tenant } });
    const id = await send(tenant, actorId);
    expect(await found(tenant, 'found/executions?status=SUBMITTED')).toEqual([id]);
  });

  it.each([
    ['status=COMPLETE', [0, 1]],
    ['status=COMPLETE&exit_code=0', [0]],
    ['status.neq=COMPLETE', [2]],
    ['exit_code.gt=0', [1]],
    ['exit_code.between=1,5', [1]],
    ['exit_code.in=[0, 3]', [0, 1]],
    ["status.in=['SUBMITTED', 'RUNNING']", [2]],
    ['status.nin=["SUBMITTED"]', [0, 1]],
    ['status.like=^COMP', [0, 1]],
    ['status.nlike=PLETE$', [2]],
    ['exit_code=none', [2]],
    ['final_state.ExitCode=3', [1]],
    ['final_state.Running=false', [0, 1]],
    ['final_state=none', [2]],
    ['exitCode=3', [1]],
    ['finalState.ExitCode=3', [1]],
    ['runtime=2', [0, 1]],
    ['executor=anonymous', [0, 1, 2]],
    ['executor="anonymous"', [0, 1, 2]],
    ['message_received_time.gt=2020', [0, 1, 2]],
    ['message_received_time.lt=2020-05-01T14:45:41.591Z', []],
    ['message_received_time.between=2020-05,2999-05:00', [0, 1, 2]],
    ['final_state.FinishedAt.gte=2020-05-01', [0, 1]],
    ['q=anything', []],
    ['status=COMPLETE&status=SUBMITTED', [0, 1]],
    ['_links.self=none', [0, 1, 2]],
  ] as const)('filters executions by %s', async (query, expected) => {
    const tenant = 'OPEN';
    const ids = await executionsOf(tenant);
    expect(await found(tenant, `search/executions?${encodeURI(query)}`)).toEqual(expected.map((index) => ids[index]));
  });

  let kept: Promise<string[]> | undefined;
  function executionsOf(tenant: string): Promise<string[]> {
    kept ??= (async () => {
      const actorId = await registerActor(api, {}, { tenant });
      return [await run(tenant, actorId), await run(tenant, actorId, '', 3), await send(tenant, actorId)];
    })();
    return kept;
  }

  it('finds the executions of an actor by its id and by the internal one', async () => {
    const tenant = newTenant();
    const actorId = await registerActor(api, {}, { tenant });
    await registerActor(api, {}, { tenant });
    const id = await send(tenant, actorId);
    for (const asked of [actorId, `${tenant}_${actorId}`]) {
      expect(await found(tenant, `search/executions?actor_id=${asked}`)).toEqual([id]);
    }
  });

  it('ranks by search and filters by exactsearch', async () => {
    const tenant = newTenant();
    const names = ['plain', 'a red fox', 'fox of red and green'];
    const ids: string[] = [];
    for (const name of names) ids.push(await registerActor(api, { name }, { tenant }));
    expect(await found(tenant, 'search/actors?search=red%20green')).toEqual([ids[2], ids[1], ids[0]]);
    expect(await found(tenant, 'search/actors?exactsearch=RED%20fox')).toEqual([ids[1]]);
  });

  it('searches the text of logs, and answers with all of each', async () => {
    const tenant = newTenant();
    const actorId = await registerActor(api, {}, { tenant });
    const id = await run(tenant, actorId, 'first line\nIteration 7 converged\n');
    await run(tenant, actorId, 'nothing of interest');
    const logs = await search(tenant, 'search/logs?exactsearch=iteration%207');
    expect(logs.search).toEqual([
      {
        logs: 'first line\nIteration 7 converged\n',
        _links: {
          self: expect.stringContaining(`/executions/${id}/logs`),
          owner: expect.stringContaining('/profiles/v2/anonymous'),
          execution: expect.stringContaining(`/executions/${id}`),
        },
      },
    ]);
    expect((await search(tenant, `search/logs?logs.like=inter.st`))._metadata.total_count).toBe(1);
    const one = await askUntilComplete(api.app, `GET /actors/${actorId}/executions/${id}/logs?search=x`, {
      headers: { tenant },
    });
    expect(one.message).toBe('Log search completed successfully.');
    expect(one.result._metadata.total_count).toBe(1);
  });

  it('finds workers by their attributes', async () => {
    const tenant = newTenant();
    const actorId = await registerActor(api, {}, { tenant });
    const now = new Date();
    const worker = {
      tenant,
      actorId,
      image: 'x',
      hostId: 'h',
      location: 'l',
      createTime: now,
      lastHealthCheckTime: now,
    };
    await api.services.workers.save({ ...worker, id: 'wOne', status: 'busy' });
    await api.services.workers.save({ ...worker, id: 'wTwo', status: 'ready' });
    const { search: workers } = await search(tenant, 'search/workers?status=BUSY');
    expect(workers).toMatchObject([{ id: 'wOne', actor_id: actorId, ch_name: 'worker_wOne', tenant }]);
    const listed = await ask(api.app, `GET /actors/${actorId}/workers?status=READY`, { headers: { tenant } });
    expect(listed.message).toBe('Workers search completed successfully.');
    expect(listed.result.search).toMatchObject([{ id: 'wTwo' }]);
    await api.services.workers.remove({ tenant, actorId }, 'wOne');
    expect(await found(tenant, 'search/workers')).toEqual(['wTwo']);
  });

  it.each([
    ['limit=-1', 'limit'],
    ['limit=x', 'limit'],
    ['limit=1.5', 'limit'],
    ['skip=-1', 'skip'],
    ['skip=100001', 'skip'],
    ['status.like=(', 'Regular expression'],
    ['status.like=(a)%5C1', 'Regular expression'],
    ['exit_code.in=5', 'needs a list'],
    ['exit_code.between=5', 'needs two values'],
    ['exit_code.gt=true', 'needs a number'],
    ['.eq=1', 'names no attribute'],
  ])('refuses %s with 400', async (query, reason) => {
    const { status, message } = await ask(api.app, `GET /actors/search/executions?${query}`, {
      headers: { tenant: 'OPEN' },
    });
    expect(status).toBe(400);
    expect(message).toContain(reason);
  });

  it('answers a type it does not know with 400', async () => {
    expect((await ask(api.app, 'GET /actors/search/nonces')).status).toBe(400);
  });

  it('shows a user what is theirs, an administrator all of the tenant, and nobody another tenant', async () => {
    const as = (user: string, roles = 'Internal/everyone') => ({
      'x-jwt-assertion-campus': signToken(key.privateKey, {
        claims: claimsOf(user, { 'http://wso2.org/claims/role': roles }),
      }),
    });
    const register = async (user: string) =>
      (await ask(api.app, 'POST /actors', { json: { image: 'debian' }, headers: as(user) })).result.id as string;
    const janes = await register('jane');
    const joes = await register('joe');
    const execution = (
      await ask(api.app, `POST /actors/${janes}/messages`, { json: { message: 'x' }, headers: as('jane') })
    ).result.execution_id;
    const seen = async (type: string, headers: Record<string, string>) =>
      (await search('', `search/${type}`, { ...headers, tenant: 'CAMPUS' })).search.map(({ id }) => id);
    expect(await seen('actors', as('jane'))).toEqual([janes]);
    expect(await seen('actors', as('joe'))).toEqual([joes]);
    expect(await seen('executions', as('joe'))).toEqual([]);
    expect(await seen('executions', as('jane'))).toEqual([execution]);
    expect(await seen('actors', as('root', 'Internal/abaco-admin'))).toEqual([janes, joes]);
    expect(await found(newTenant(), 'search/actors')).toEqual([]);
  });
});

describe('7.2, 7.8 listings with a query parameter', () => {
  it('become searches', async () => {
    const tenant = newTenant();
    const actorId = await registerActor(api, {}, { tenant });
    const id = await send(tenant, actorId);
    const actors = await askUntilComplete(api.app, 'GET /actors?limit=1', { headers: { tenant } });
    expect(actors.message).toBe('Actors search completed successfully.');
    expect(actors.result._metadata.record_limit).toBe(1);
    const executions = await askUntilComplete(api.app, `GET /actors/${actorId}/executions?status=SUBMITTED`, {
      headers: { tenant },
    });
    expect(executions.message).toBe('Executions search completed successfully.');
    expect(executions.result.search.map((one: { id: string }) => one.id)).toEqual([id]);
  });

  it('stay listings with an x-nonce alone', async () => {
    const { result } = await ask(api.app, 'GET /actors?x-nonce=DEV_abc', { headers: { tenant: newTenant() } });
    expect(result).toEqual([]);
  });
});
