import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { noSuchRoute } from '../../../src/api/plugins/errors.ts';
import { type Answer, ask, registerActor } from '../../support/api-requests.ts';
import { type ApiService, startApiService } from '../../support/api-service.ts';
import type { LauncherBench } from '../../support/launcher-contract.ts';
import { makeMockBench } from '../../support/mock-bench.ts';

let api: ApiService;
let bench: LauncherBench;
let actorId: string;

beforeAll(async () => {
  bench = await makeMockBench();
  const launcher = await bench.open();
  api = await startApiService({ launchers: [{ name: 'local', place: 'local', launcher }] });
  actorId = await registerActor(api, { stateless: false });
});

afterAll(async () => {
  await api[Symbol.asyncDispose]();
  await bench[Symbol.asyncDispose]();
});

/** Every error is in the envelope, and readable from any page. */
function expectError(answer: Answer, status: number): void {
  expect(answer.status, answer.text).toBe(status);
  expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
  expect(answer.headers['access-control-allow-origin']).toBe('*');
  expect(JSON.parse(answer.text)).toEqual({
    message: expect.stringMatching(/\S/) as string,
    result: null,
    status: 'error',
    version: 'dev',
  });
}

const json = { 'content-type': 'application/json' };

describe('a body that cannot be read', () => {
  it.each([
    ['malformed JSON', '{"image": "debian"', json],
    ['a JSON array', '["debian"]', json],
    ['a JSON scalar', '5', json],
    ['JSON nested without end', '['.repeat(2_000) + ']'.repeat(2_000), json],
    ['JSON with a comma too many', '{"image": "debian",}', json],
    ['text', 'image=debian', { 'content-type': 'text/plain' }],
    ['XML', '<image/>', { 'content-type': 'application/xml' }],
    ['bytes', 'debian', { 'content-type': 'application/octet-stream' }],
    ['no content type', 'debian', {}],
    ['a content type that is none', 'debian', { 'content-type': ';;;' }],
    ['a form without its boundary', '--b\r\n', { 'content-type': 'multipart/form-data' }],
    ['a form that is cut', '--b\r\nContent-Disp', { 'content-type': 'multipart/form-data; boundary=b' }],
  ])('is refused for an actor: %s', async (_what, body, headers) => {
    const answer = await ask(api.app, 'POST /actors', { body, headers });
    expectError(answer, 400);
    expect(answer.message).toMatch(/^Invalid actor description: |"Content-Type"/);
  });

  it.each([
    ['malformed JSON', '{"message": ', json],
    ['text that is no JSON', 'hello', { 'content-type': 'text/plain' }],
    ['nothing', '', {}],
    ['an empty object', '{}', json],
    ['an empty message', '{"message": ""}', { 'content-type': 'text/plain; charset=utf-8' }],
    ['invalid UTF-8', Buffer.from([0x22, 0xff, 0x22, 0x22]), json],
  ])('is refused for a message in the words of the contract: %s', async (what, body, headers) => {
    const answer = await ask(api.app, `POST /actors/${actorId}/messages`, {
      body,
      headers,
    });
    if (what === 'an empty message') {
      expect(answer.status).toBe(200);
      return;
    }
    expectError(answer, 400);
    expect(answer.message).toBe(
      'message POST body could not be serialized. Pass JSON data or use the message attribute.',
    );
  });

  it('is refused where a message or its environment holds NUL', async () => {
    const text = await ask(api.app, `POST /actors/${actorId}/messages`, { json: { message: 'a\0b' } });
    expectError(text, 400);
    expect(text.message).toContain('NUL');
    const query = await ask(api.app, `POST /actors/${actorId}/messages?message=m&A=%00`);
    expectError(query, 400);
    expect(query.message).toContain('"A" holds NUL');
  });
});

describe('the description of an actor', () => {
  it('names every field that is missing or wrong, in the case of the server', async () => {
    const fields = { max_workers: 'x', stateless: 'maybe', defaultEnvironment: [1] };
    const answer = await ask(api.app, 'POST /actors', { json: fields });
    expectError(answer, 400);
    expect(answer.message).toMatch(/^Invalid actor description: \{.*\}$/);
    for (const name of ["'image': 'Reference to image", "'max_workers'", "'stateless'", "'default_environment'"]) {
      expect(answer.message).toContain(name);
    }
  });

  it.each([
    null,
    '',
    ' ',
    'UPPER',
    'a b',
    'https://x/y',
    'x:',
    'a//b',
    '../etc',
    'a\0b',
    'a\nb',
    'ünicode',
    '-x',
    'x'.repeat(300),
  ])('is refused with an image name that is none: %j', async (image) => {
    expectError(await ask(api.app, 'POST /actors', { json: { image } }), 400);
  });

  it.each([
    ['an environment key with "="', { default_environment: { 'A=B': 1 } }, '"A=B" holds "="'],
    ['an environment key with NUL', { default_environment: { 'A\0': 1 } }, 'holds NUL'],
    ['an empty environment key', { default_environment: { '': 1 } }, 'no name'],
    ['an environment value with NUL', { default_environment: { A: '\0' } }, '"A" holds NUL'],
    ['an environment value too long for Linux', { default_environment: { A: 'x'.repeat(140_000) } }, '131071'],
    [
      'an unknown queue',
      { queue: 'nowhere' },
      'Invalid queue name. Actor asks for queue "nowhere"; known queues: default',
    ],
    ['a queue named like a property', { queue: 'constructor' }, 'Invalid queue name.'],
    ['an unknown launcher', { launcher: 'frontier' }, '"frontier"; known launchers: local'],
    ['a schedule that is none', { cron_schedule: 'hourly' }, 'The cron is not in the correct format'],
    ['one in camel case', { cronSchedule: 'hourly' }, 'The cron is not in the correct format'],
    [
      'more than its launcher has',
      { resources: { nodes: 2 } },
      'resources: launcher "local" runs one task on one node',
    ],
    ['a resource of nobody', { resources: { node: 2 } }, '"node" is none of the resources there are: nodes, tasks'],
    ['a resource that is none', { resources: { memory: 'lots' } }, 'resources: "memory" is "lots"'],
    [
      'resources that are no mapping',
      { resources: 'nodes=2' },
      "'resources': \"must be a JSON object, not 'nodes=2'\"",
    ],
    ['a link to nobody', { link: 'other' }, 'Invalid link parameter; unable to retrieve linked actor data.'],
    ['a webhook that is no URL', { webhook: 'example.org' }, 'webhook cannot be called'],
    ['a webhook of another kind', { webhook: 'file:///etc/passwd' }, 'webhook cannot be called'],
    ['a webhook at a private address', { webhook: 'http://[::ffff:10.0.0.1]/' }, 'not public'],
    ['a hint with a bracket', { hints: ['a[b'] }, 'hint "a[b"'],
    ['a memory limit that is none', { mem_limit: 'lots' }, 'lots'],
    ['no processor', { max_cpus: 0 }, 'max_cpus is 0'],
    ['no worker', { max_workers: 0 }, 'max_workers is 0'],
    ['many workers and a state', { max_workers: 2, stateless: false }, 'stateful actors can only have 1 worker.'],
    ['a name with NUL', { name: 'a\0' }, 'NUL'],
  ])('is refused with %s', async (_what, fields, reason) => {
    const answer = await ask(api.app, 'POST /actors', { json: { image: 'debian', ...fields } });
    expectError(answer, 400);
    expect(answer.message).toContain(reason);
  });

  it('never reaches the prototype of an object', async () => {
    const body = '{"image":"debian","__proto__":{"privileged":true},"default_environment":{"__proto__":"x"}}';
    const { result } = await ask(api.app, 'POST /actors', { body, headers: json });
    expect(result.privileged).toBe(false);
    expect(({} as Record<string, unknown>)['privileged']).toBeUndefined();
  });
});

describe('an id that is none', () => {
  const odd = [
    '..%2f..%2fetc',
    '%2e%2e%2f',
    '%00',
    'a%0ab',
    '%F0%9F%92%A9',
    'jane',
    '1',
    'x'.repeat(5_000),
    '%7B%7D',
    'a:b',
  ];

  it.each(odd)('is answered with 404 for an actor: %.20s', async (id) => {
    for (const path of ['', '/messages', '/state', '/executions', '/workers']) {
      const answer = await ask(api.app, `GET /actors/${id}${path}`);
      expectError(answer, 404);
      expect(answer.message).toBe(`Actor with identifier '${decodeURIComponent(id)}' not found`);
    }
  });

  it.each(odd)('is answered with 400 for an execution: %.20s', async (id) => {
    for (const line of [`GET /actors/${actorId}/executions/${id}`, `DELETE /actors/${actorId}/executions/${id}`]) {
      expectError(await ask(api.app, line), 400);
    }
    for (const path of ['logs', 'events']) {
      expectError(await ask(api.app, `GET /actors/${actorId}/executions/${id}/${path}`), 400);
    }
  });

  it('is answered in the envelope where its escapes are broken', async () => {
    expectError(await ask(api.app, 'GET /actors/%zz'), 400);
  });
});

describe('what is not there', () => {
  it('says "identifier" to readers and "id" to others, for a well-formed id', async () => {
    const id = api.services.ids.next();
    expect((await ask(api.app, `GET /actors/${id}`)).message).toBe(`No actor found with identifier: ${id}.`);
    const put = await ask(api.app, `PUT /actors/${id}`, { json: { image: 'debian' } });
    expectError(put, 404);
    expect(put.message).toBe(`No actor found with id: ${id}.`);
  });

  it('is an actor of another tenant, in the words for one that never was', async () => {
    const theirs = await registerActor(api, { stateless: false }, { tenant: 'OTHER' });
    const execution = api.services.ids.next();
    const lines = ['', '/messages', '/state', '/executions', '/workers', `/executions/${execution}`]
      .map((path) => `GET /actors/${theirs}${path}`)
      .concat(
        `DELETE /actors/${theirs}`,
        `POST /actors/${theirs}/messages?message=m`,
        `DELETE /actors/${theirs}/messages`,
      );
    for (const line of lines) {
      const answer = await ask(api.app, line);
      expectError(answer, 404);
      expect(answer.message).toMatch(/^No actor found with (identifier|id): /);
    }
    const state = await ask(api.app, `POST /actors/${theirs}/state`, { json: { a: 1 } });
    expectError(state, 404);
    expect(await api.services.mailbox.depth({ tenant: 'OTHER', actorId: theirs })).toBe(0);
  });

  it.each(['GET /actor', 'PATCH /actors', 'DELETE /actors', 'PUT /actors/x/messages', 'GET /', 'GET /actors/v2/x/y/z'])(
    'is a route: %s',
    async (line) => {
      const answer = await ask(api.app, line);
      expectError(answer, 405);
      expect(answer.message).toBe(noSuchRoute);
    },
  );
});

describe('a path that is spelled with escapes', () => {
  it('is the same path, with the same caller', async () => {
    expect((await ask(api.app, 'GET /%61ctors')).status).toBe(200);
  });
});

describe('problem details', () => {
  it.each([
    ['GET /actors/jane', 404, 'actor.not_found'],
    ['GET /nowhere', 404, 'route.not_found'],
    ['POST /actors', 400, 'actor.invalid'],
  ])('tell %s with the numbers of HTTP and a code', async (line, status, code) => {
    const answer = await ask(api.app, line, { headers: { accept: 'application/problem+json' } });
    expect(answer.status).toBe(status);
    expect(answer.headers['content-type']).toContain('application/problem+json');
    expect(JSON.parse(answer.text)).toMatchObject({ status, code, type: `urn:abaco:error:${code}` });
  });
});

describe('a page of elsewhere, where no token is asked for', () => {
  const preflight = { 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type' };
  const pages = [{ origin: 'https://portal.example.org' }, { origin: 'null' }, { host: 'rebound.example.org:8000' }];
  const lines = ['GET /actors', 'POST /actors', 'OPTIONS /actors', 'GET /health/live', 'GET /metrics', 'GET /nowhere'];

  it.each(pages.flatMap((page) => lines.map((line) => [line, page] as const)))(
    'is refused, and told nothing: %s by %j',
    async (line, page) => {
      const headers = line.startsWith('OPTIONS') ? { ...preflight, ...page } : page;
      const answer = await ask(api.app, line, { json: { image: 'debian', privileged: true }, headers });
      expect(answer.status).toBe(403);
      expect(answer.message).toMatch(/^Request with (Origin|Host) ".*" is refused: .*\[tenants\.NAME\]/);
      expect(Object.keys(answer.headers).join()).not.toContain('access-control');
    },
  );

  it('is none of a page of this machine, to which a preflight repeats what was asked', async () => {
    const headers = { ...preflight, origin: 'http://localhost:3000', host: '127.0.0.1:8000' };
    const answer = await ask(api.app, `OPTIONS /actors/${actorId}`, { headers });
    expect(answer.status).toBe(200);
    expect(answer.headers).toMatchObject({
      'access-control-allow-origin': 'http://localhost:3000',
      'access-control-allow-methods': 'DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT',
      'access-control-allow-headers': 'content-type',
    });
    expect((await ask(api.app, 'OPTIONS /actors')).status).toBe(200);
    expect((await ask(api.app, 'GET /actors', { headers })).headers['access-control-allow-origin']).toBe('*');
  });

  it('gets no further with a name that leads to the address for containers, where a token is asked for', async () => {
    const forContainers = api.another({ tokensOnly: true });
    const answer = await ask(forContainers, 'GET /actors', { headers: { host: 'host.docker.internal:8000' } });
    expect([answer.status, answer.message]).toEqual([
      400,
      expect.stringContaining('only requests with the access token'),
    ]);
  });
});
