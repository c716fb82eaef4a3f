/** `compat.error_status = "http"`: the numbers of HTTP, and that the OpenAPI document knows those of either setting. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  accessTable,
  adminTable,
  type Line,
  type Names,
  openTable,
  patternOf,
  requestOf,
} from '../../contract-abaco/access-table.ts';
import { as, type Client, startClient } from '../../support/abaco-client.ts';
import type { Question } from '../../support/api-requests.ts';

const olga = as('olga');
const unknown = 'RrRrRr';

let contract: Client;
let http: Client;

beforeAll(async () => {
  contract = await startClient();
  http = await startClient('', { settings: { ABACO_COMPAT_ERROR_STATUS: 'http' } });
});

afterAll(async () => {
  await contract[Symbol.asyncDispose]();
  await http[Symbol.asyncDispose]();
});

const everyLine: readonly Line[] = [
  ...accessTable,
  ...[...openTable, ...adminTable].map((request) => ({ request, on: 'actor', need: 'READ' }) as const),
];

/** Olga's actor, with an alias of it and a config for it. */
async function makeNames(client: Client): Promise<Names> {
  const actor = await client.register('olga', { stateless: false });
  const [alias, config] = [`l-${actor}`, `c-${actor}`];
  await client.send('POST /actors/aliases', olga, { json: { alias, actor_id: actor } });
  const json = { name: config, value: 'v', is_secret: false, actors: actor };
  await client.send('POST /actors/configs', olga, { json });
  return { actor, alias, config, nonce: `PHYSICS_${unknown}` };
}

function pathOf(location: unknown): string {
  return new URL(String(location)).pathname;
}

/** Statuses that the client's server describes for a line. */
function statusesOf({ api }: Client, line: string): readonly string[] {
  const [verb = '', path = ''] = patternOf(line).split(' ');
  const paths = api.app.swagger().paths as Readonly<Record<string, Readonly<Record<string, { responses?: object }>>>>;
  // HEAD is what GET is.
  return Object.keys(paths[path]?.[verb.toLowerCase().replace('head', 'get')]?.responses ?? {});
}

describe('a server with the numbers of HTTP', () => {
  it('answers whoever has no credential with 401 and what it would take, on every route', async () => {
    const names = await makeNames(http);
    for (const line of everyLine) {
      const answer = await http.send(requestOf(line, names), {}, line.question);
      expect([answer.status, answer.headers['www-authenticate']], line.request).toEqual([401, 'Bearer']);
      if (!line.request.startsWith('HEAD')) expect(answer.message).toMatch(/^No JWT or nonce provided\./);
    }
  });

  it('answers who may not with 403, on every route', async () => {
    const names = await makeNames(http);
    for (const line of accessTable) {
      expect((await http.send(requestOf(line, names), as('jane'), line.question)).status, line.request).toBe(403);
    }
    for (const line of adminTable) expect((await http.send(line, olga)).status, line).toBe(403);
    for (const line of openTable) expect((await http.send(line, as('jane', 'none'))).status, line).toBe(403);
  });

  it('answers 201 and where it is, for whatever was created', async () => {
    const { actor, alias } = await makeNames(http);
    const json = { name: 'made', value: 'v', is_secret: false, actors: actor };
    const creations: readonly (readonly [string, Question])[] = [
      ['POST /actors', { json: { image: 'debian' } }],
      ['POST /actors/aliases', { json: { alias: 'made', actor_id: actor } }],
      ['POST /actors/configs', { json }],
      [`POST /actors/${actor}/nonces`, { json: {} }],
      [`POST /actors/aliases/${alias}/nonces`, { json: {} }],
      [`POST /actors/${actor}/messages`, { json: { message: 'm' } }],
    ];
    for (const [line, question] of creations) {
      const made = await http.send(line, olga, question);
      expect(made.status, `${line}: ${made.text}`).toBe(201);
      const found = await http.send(`GET ${pathOf(made.headers['location'])}`, olga);
      expect(found.status, `${line}: ${found.text}`).toBe(200);
    }
  });

  it('answers 200 for what changes only what is there, and for a message that was posted before', async () => {
    const names = await makeNames(http);
    const changes: readonly (readonly [string, Question])[] = [
      [`POST /actors/${names.actor}/state`, { json: { a: 1 } }],
      [`POST /actors/${names.actor}/permissions`, { json: { user: 'jane', level: 'READ' } }],
      [`PUT /actors/configs/${names.config}`, { json: { value: 'w', is_secret: false, actors: names.actor } }],
    ];
    for (const [line, question] of changes) {
      const changed = await http.send(line, olga, question);
      expect(changed.status, `${line}: ${changed.text}`).toBe(200);
      expect(changed.headers['location']).toBeUndefined();
    }
    const key = { ...olga, 'idempotency-key': 'once' };
    const post = () => http.send(`POST /actors/${names.actor}/messages`, key, { json: { message: 'm' } });
    expect([(await post()).status, (await post()).status]).toEqual([201, 200]);
  });

  it('answers what cannot be as problem details would, in the envelope', async () => {
    const { actor, alias, config, nonce } = await makeNames(http);
    const same = { name: config, value: 'v', is_secret: false, actors: actor };
    const refused: readonly (readonly [number, string, Question])[] = [
      [404, `GET /actors/${unknown}`, {}],
      [404, `GET /actors/${actor}/executions/${unknown}`, {}],
      [404, `GET /actors/${actor}/nonces/${nonce}`, {}],
      [404, 'PATCH /actors', {}],
      [409, 'POST /actors/aliases', { json: { alias, actor_id: actor } }],
      [409, 'POST /actors/configs', { json: same }],
      [400, 'POST /actors', { json: {} }],
      [413, 'POST /actors/aliases', { body: Buffer.alloc(2 * 1024 * 1024) }],
      [415, 'POST /actors/aliases', { body: 'x', headers: { 'content-type': ';' } }],
    ];
    for (const [status, line, { headers, ...question }] of refused) {
      const answer = await http.send(line, { ...olga, ...headers }, question);
      expect(answer.status, `${line}: ${answer.text}`).toBe(status);
      expect(JSON.parse(answer.text)).toMatchObject({ status: 'error', result: null });
    }
  });

  it('answers who accepts problem details with the same numbers', async () => {
    const { actor } = await makeNames(http);
    const accept = { accept: 'application/problem+json' };
    for (const client of [http, contract]) {
      const nobody = await client.send(`GET /actors/${actor}`, accept);
      expect(nobody).toMatchObject({ status: 401, headers: { 'www-authenticate': 'Bearer' } });
    }
    expect((await http.send(`GET /actors/${actor}`, { ...as('jane'), ...accept })).status).toBe(403);
  });
});

describe('the document of a server', () => {
  it.each(['contract', 'http'] as const)(
    'names every status that is answered with compat.error_status = "%s"',
    async (kind) => {
      const client = kind === 'http' ? http : contract;
      const names = await makeNames(client);
      const seen = new Set<number>();
      for (const who of [{}, as('jane'), { ...as('jane'), accept: 'application/problem+json' }, as('olga', 'admin')]) {
        for (const line of everyLine) {
          const answer = await client.send(requestOf(line, names), who, line.question);
          expect(statusesOf(client, line.request), `${line.request}: ${answer.text}`).toContain(String(answer.status));
          seen.add(answer.status);
        }
      }
      expect([...seen]).toEqual(expect.arrayContaining(kind === 'http' ? [200, 401, 403, 404] : [200, 400, 403, 404]));
    },
  );

  it('names what an address for containers answers to whom has no token', async () => {
    for (const client of [contract, http]) {
      const inside = client.api.another({ tokensOnly: true });
      for (const url of ['/health/live', '/health/ready', '/metrics']) {
        const { statusCode } = await inside.inject({ method: 'GET', url });
        expect(statusCode).toBe(client === http ? 401 : 400);
        expect(statusesOf(client, `GET ${url}`)).toContain(String(statusCode));
      }
    }
  });
});
