/**
 * §§1–4: transport, letter case, parameters, identifiers.
 *
 * Not here: how nginx splits paths among processes, and its error pages (there is one process and no nginx); timeouts
 * of gunicorn and nginx; `pretty`, which as a query parameter of a listing is a search; sizes of bodies, which
 * `test/integration/api/raw-http.test.ts` sends over a socket; synchronous replies, which have no envelope either
 * (07-07-synchronous.test.ts), the dashboard (07-15-admin.test.ts) and `/cron` (12-cron.test.ts). HEAD is answered as
 * GET, also to those who are no administrators.
 */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeId, encodeId, isId } from '../../src/lib/ids.ts';
import { as, type Client, startClient } from '../support/abaco-client.ts';

let client: Client;

beforeAll(async () => {
  client = await startClient();
});

afterAll(async () => {
  await client[Symbol.asyncDispose]();
});

const olga = as('olga');
const register = (question: object, line = 'POST /actors') => client.send(line, as('olga', 'admin'), question);

describe('§1.1 base paths', () => {
  it('are /actors and /actors/v2, whose repeated slashes are one', async () => {
    const actor = await client.register();
    for (const path of ['/actors/', '/actors/v2/', '//actors//', '/actors//v2///']) {
      expect((await client.send(`GET ${path}${actor}`, olga)).result.id, path).toBe(actor);
    }
  });

  it('stand in links as /actors/v2 and /profiles/v2, whatever was asked', async () => {
    const actor = await client.register();
    const { result } = await client.send(`GET /actors/${actor}`, olga);
    expect(result._links.self).toMatch(new RegExp(`^https?://.+/actors/v2/${actor}$`));
    expect(result._links.owner).toMatch(/\/profiles\/v2\/olga$/);
  });
});

describe('§1.2 verbs and CORS', () => {
  const everything = ['GET /actors', 'GET /actors/jane', 'POST /actors', 'GET /nowhere', 'PATCH /actors'];

  it.each(everything)('allow every origin: %s', async (line) => {
    for (const who of [olga, {}, { ...olga, origin: 'https://portal.org' }]) {
      expect((await client.send(line, who)).headers['access-control-allow-origin']).toBe('*');
    }
  });

  it.each(['/actors', '/actors/v2/Rr/messages', '/actors/aliases/x/nonces', '/actors/Rr/permissions'])(
    'answer OPTIONS without authentication, echoing origin and headers: %s',
    async (path) => {
      const asked = { origin: 'https://portal.org', 'access-control-request-headers': 'x-jwt-assertion-physics, x-a' };
      const { status, headers } = await client.send(`OPTIONS ${path}`, asked);
      expect(status).toBe(200);
      expect(headers).toMatchObject({
        'access-control-allow-origin': 'https://portal.org',
        'access-control-allow-methods': 'DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT',
        'access-control-allow-headers': asked['access-control-request-headers'],
      });
      expect((await client.send(`OPTIONS ${path}`)).status).toBe(200);
    },
  );

  it('answer HEAD as GET, also to who is no administrator', async () => {
    const answer = await client.send(`HEAD /actors/${await client.register()}`, olga);
    expect(answer.status).toBe(200);
    expect(answer.text).toBe('');
  });
});

describe('§1.3 the envelope', () => {
  it('has exactly four keys, sorted, also of errors, whose result is null', async () => {
    for (const [line, status] of [
      ['GET /actors', 'success'],
      ['GET /actors/jane', 'error'],
      ['GET /nowhere', 'error'],
      ['GET /actors/aliases', 'success'],
    ] as const) {
      const { text } = await client.send(line, olga);
      const parsed = JSON.parse(text) as Record<string, unknown>;
      expect(Object.keys(parsed)).toEqual(['message', 'result', 'status', 'version']);
      expect(parsed['status']).toBe(status);
      if (status === 'error') expect(parsed['result']).toBeNull();
    }
  });

  it('is sorted within, too', async () => {
    const { result } = await client.send(`GET /actors/${await client.register()}`, olga);
    const names = Object.keys(result as object);
    expect(names).toEqual(names.toSorted());
  });

  it('gives the deployment tag as version', async () => {
    await using tagged = await startClient('', { settings: { ABACO_SERVICE_TAG: '1.9.1' } });
    expect(JSON.parse((await tagged.send('GET /actors', olga)).text)).toMatchObject({ version: '1.9.1' });
  });

  it('comes with 200 for everything that succeeds, creation and deletion too', async () => {
    const { status, result } = await register({ json: { image: 'debian' } });
    expect(status).toBe(200);
    expect((await client.send(`POST /actors/${result.id}/nonces`, olga)).status).toBe(200);
    expect((await client.send(`DELETE /actors/${result.id}`, olga)).status).toBe(200);
  });

  it('has the default message for GET of messages', async () => {
    const { message } = await client.send(`GET /actors/${await client.register()}/messages`, olga);
    expect(message).toBe('The request was successful');
  });
});

describe('§1.3 no envelope', () => {
  it('is around results and the numbers for Prometheus', async () => {
    const results = await client.send(`GET /actors/${await client.register()}/executions/Rr/results`, olga);
    expect([results.status, results.text]).toEqual([200, '']);
    expect(results.headers['content-type']).toBe('application/octet-stream');
    const metrics = await client.send('GET /metrics');
    expect(metrics.headers['content-type']).toMatch(/^text\/plain/);
    expect(metrics.text).toMatch(/^# HELP /);
  });
});

describe('§1.4 statuses of errors', () => {
  const noSuchRoute = 'Invalid request: the API endpoint does not exist or the provided HTTP method is not allowed.';

  it.each([
    'PATCH /actors',
    'DELETE /actors',
    'PUT /actors/Rr/messages',
    'GET /actors/Rr/x',
    'DELETE /actors/Rr/nonces',
  ])('are 405 for %s', async (line) => {
    expect(await client.send(line, olga)).toMatchObject({ status: 405, message: noSuchRoute });
  });

  it('are 400 for an unknown execution and 404 for an unknown worker', async () => {
    const actor = await client.register();
    expect(await client.send(`GET /actors/${actor}/executions/Rr`, olga)).toMatchObject({
      status: 400,
      message: `No executions found with actor id of ${actor} and execution id of Rr.`,
    });
    const worker = await client.send(`GET /actors/${actor}/workers/Rr`, olga);
    expect(worker).toMatchObject({ status: 404, message: 'Worker not found.' });
  });

  it.each([
    'POST /actors',
    'POST /actors/A/messages',
    'POST /actors/A/state',
    'POST /actors/aliases',
    'POST /actors/A/permissions',
  ])('are 400 for malformed JSON, and JSON that is no object where one is needed: %s', async (line) => {
    const path = line.replace('/A', `/${await client.register('olga', { stateless: false })}`);
    const headers = { ...olga, 'content-type': 'application/json' };
    for (const body of ['{', '[1', 'x']) {
      expect((await client.send(path, headers, { body })).status, body).toBe(400);
    }
  });

  it('are never 401 or 403', async () => {
    const actor = await client.register();
    for (const who of [{}, as('jane'), as('jane', 'none')]) {
      for (const line of [`GET /actors/${actor}`, `DELETE /actors/${actor}`, `POST /actors/${actor}/workers`]) {
        expect((await client.send(line, who)).status).toBe(400);
      }
    }
  });
});

describe('§2 letter case', () => {
  it('is that of the tenant; the other is taken too, and nulls are left out in camel form', async () => {
    await using camel = await startClient('case = "camel"\n');
    const actor = await camel.register('olga', { default_environment: { a_b: null }, maxWorkers: 2 });
    const { result } = await camel.send(`GET /actors/${actor}`, olga);
    expect(result).toMatchObject({ defaultEnvironment: { a_b: null }, maxWorkers: 2, cronOn: false });
    expect(result).toHaveProperty('_links');
    expect(Object.keys(result as object).filter((name) => /[a-z]_/.test(name))).toEqual([]);
    expect(Object.values(result as object)).not.toContain(null);
    const alias = await camel.send('POST /actors/aliases', olga, { json: { alias: 'a', actorId: actor } });
    expect(alias.result).toMatchObject({ actorId: actor });
    const missing = await camel.send('POST /actors/aliases', olga, { json: { alias: 'b' } });
    expect(missing.message).toContain("'actorId'");
  });

  it('in snake form has nulls', async () => {
    const { result } = await client.send(`GET /actors/${await client.register()}`, olga);
    expect(result).toMatchObject({ mem_limit: null, max_cpus: null, name: null });
  });
});

describe('§3 parameters', () => {
  it('come from the query, a form and JSON, of which the first wins', async () => {
    const { result } = await register(
      { json: { image: 'debian', description: 'json' } },
      'POST /actors?description=query',
    );
    expect(result.description).toBe('query');
    expect((await register({ form: 'image=debian&description=form' })).result.description).toBe('form');
  });

  it('are whole numbers also as text', async () => {
    expect((await register({ json: { image: 'debian', log_ex: '60' } })).result.log_ex).toBe(60);
    expect((await register({ json: { image: 'debian', log_ex: 'soon' } })).status).toBe(400);
  });

  it.each([
    ['true', true],
    ['TRUE', true],
    ['1', true],
    ['False', false],
    ['0', false],
    [true, true],
    [false, false],
  ])('are booleans in any spelling: %s', async (text, value) => {
    const { result } = await register({ json: { image: 'debian', use_container_uid: text } });
    expect(result.use_container_uid).toBe(value);
  });

  it.each(['yes', '2', ''])('are no booleans: %j', async (text) => {
    expect((await register({ json: { image: 'debian', use_container_uid: text } })).status).toBe(400);
  });

  it('are as their first element where a list is given for one, but for hints', async () => {
    const { result } = await register({ json: { image: ['debian', 'x'], hints: ['sync', 'b'] } });
    expect(result).toMatchObject({ image: 'debian', hints: ['sync', 'b'] });
  });

  it('that nobody knows are passed over', async () => {
    expect((await register({ json: { image: 'debian', force: false, nobody: {} } })).status).toBe(200);
  });

  it('that are missing or null are named in the message', async () => {
    for (const json of [{}, { image: null }]) {
      const { status, message } = await register({ json });
      expect(status).toBe(400);
      expect(message).toBe("Invalid actor description: {'image': 'Reference to image on docker hub for this actor.'}");
    }
  });

  it('must stand in an object', async () => {
    for (const json of [[], 'x', 1]) expect((await register({ json })).status).toBe(400);
  });
});

describe('§4 identifiers', () => {
  it.each([
    [1n, 'Rr'],
    [2n, 'AK'],
    [1234567890n, 'AQgx5MG'],
    [4294967296n, 'wv43JL1'],
    [9007199254740992n, 'kzo88j8JWQ7'],
    [9223372036854775807n, 'WPMx0pLjvKrLP'],
    [9223372036854775808n, 'wK0mvzJx1RkJO'],
    [18446744073709551615n, 'xyWxv5zqvkZ6y'],
  ])('are hash ids: %s is %s', (integer, id) => {
    expect(encodeId(integer)).toBe(id);
    expect(decodeId(id)).toBe(integer);
  });

  it.each([
    ['NolBaJ5y6714M', 17543987829781434855n],
    ['yP0PDpZWG38Bg', 6612139959163556327n],
    ['00wLaDX53WBAr', 9421146227950359017n],
  ])('are read as hash ids: %s is %s', (id, integer) => {
    expect(decodeId(id)).toBe(integer);
  });

  it.each(['jane', 'bad_actor', 'logs', '1'])('are no hash ids: %s', (text) => {
    expect(isId(text)).toBe(false);
  });

  it('of actors, executions and nonces are hash ids, that of a nonce behind its tenant', async () => {
    const actor = await client.register();
    const sent = await client.send(`POST /actors/${actor}/messages?message=m`, olga);
    const { result } = await client.send(`POST /actors/${actor}/nonces`, olga);
    const [tenant, suffix = ''] = (result.id as string).split('_');
    expect(tenant).toBe('PHYSICS');
    for (const id of [actor, sent.result.execution_id as string, suffix]) expect(isId(id)).toBe(true);
  });
});
