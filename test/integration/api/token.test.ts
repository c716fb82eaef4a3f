import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, registerActor, sendMessage } from '../../support/api-requests.ts';
import { type ApiService, startApiService } from '../../support/api-service.ts';
import { type PlayedExecution, takeMessage } from '../../support/api-worker.ts';

let api: ApiService;
/** Listens where containers can reach it. */
let forContainers: FastifyInstance;

beforeAll(async () => {
  api = await startApiService();
  forContainers = api.another({ tokensOnly: true });
});

afterAll(async () => {
  await api[Symbol.asyncDispose]();
});

interface Running {
  readonly actorId: string;
  readonly played: PlayedExecution;
  readonly headers: { readonly authorization: string };
}

async function startRunning(tenant = 'DEV'): Promise<Running> {
  const actorId = await registerActor(api, {}, { tenant });
  await ask(api.app, `POST /actors/${actorId}/messages`, { json: { message: 'm' }, headers: { tenant } });
  const played = await takeMessage(api, actorId, tenant);
  return { actorId, played, headers: { authorization: `Bearer ${await played.start()}` } };
}

describe("an execution's token", () => {
  it("has the owner's rights in the tenant of its actor while the execution runs", async () => {
    const { actorId, headers } = await startRunning('THEIRS');
    for (const app of [api.app, forContainers]) {
      expect((await ask(app, `GET /actors/${actorId}`, { headers })).result.id).toBe(actorId);
      expect((await ask(app, 'GET /actors', { headers })).result).toHaveLength(1);
    }
    const other = await ask(forContainers, 'POST /actors', { json: { image: 'debian' }, headers });
    expect(other.result.owner).toBe('anonymous');
    const sent = await ask(forContainers, `POST /actors/${other.result.id}/messages`, {
      json: { message: 'm' },
      headers,
    });
    expect(sent.status).toBe(200);
  });

  it('names its tenant itself: the header does not change it', async () => {
    const { actorId, headers } = await startRunning('THEIRS2');
    expect((await ask(api.app, `GET /actors/${actorId}`, { headers: { ...headers, tenant: 'DEV' } })).status).toBe(200);
    const mine = await registerActor(api);
    expect((await ask(api.app, `GET /actors/${mine}`, { headers: { ...headers, tenant: 'DEV' } })).status).toBe(400);
  });

  it('is refused where one character is wrong, for another execution, and once its own has ended', async () => {
    const { actorId, played, headers } = await startRunning();
    const read = (authorization: string): ReturnType<typeof ask> =>
      ask(api.app, `GET /actors/${actorId}`, { headers: { authorization } });
    const last = headers.authorization.at(-1) === 'A' ? 'E' : 'A';
    const wrong = await read(headers.authorization.slice(0, -1) + last);
    expect(wrong.status).toBe(400);
    expect(wrong.message).toContain('is not valid');
    const elsewhere = await sendMessage(api, await registerActor(api));
    const ofOther = headers.authorization.replace(played.id, elsewhere);
    expect((await read(ofOther)).status).toBe(400);
    await played.end();
    const late = await read(headers.authorization);
    expect(late.status).toBe(400);
    expect(late.message).toContain('the execution has ended');
    expect(late.message).not.toContain(headers.authorization.split('.').at(-1) ?? '');
  });

  it('makes no privileged actor', async () => {
    const { headers } = await startRunning();
    const json = { image: 'debian', privileged: true };
    const { status, message } = await ask(api.app, 'POST /actors', { json, headers });
    expect(status).toBe(400);
    expect(message).toContain('Not authorized -- only admins and privileged users can make privileged actors.');
  });

  it('may set the state of another actor of its owner too', async () => {
    const other = await registerActor(api, { stateless: false });
    const { headers } = await startRunning();
    expect((await ask(api.app, `POST /actors/${other}/state`, { json: { a: 1 }, headers })).status).toBe(200);
  });
});

describe('a bearer token of somebody else', () => {
  it('is passed over, as the original does', async () => {
    const headers = { authorization: 'Bearer 0123456789abcdef' };
    expect((await ask(api.app, 'GET /actors', { headers })).status).toBe(200);
  });
});

describe('an address for containers', () => {
  it.each([
    'GET /actors',
    'POST /actors',
    'GET /health/live',
    'GET /health/ready',
    'GET /docs',
    'GET /docs/static/index.html',
    'GET /openapi.json',
    'GET /nowhere',
    'GET /%61ctors',
  ])('answers nothing else without a token: %s', async (line) => {
    for (const headers of [{}, { authorization: 'Bearer other' }, { authorization: 'Basic YTpi' }, { tenant: 'DEV' }]) {
      const { status, message } = await ask(forContainers, line, { headers });
      expect(status).toBe(400);
      expect(message).toMatch(/^No JWT or nonce provided\./);
    }
  });
});

describe('an address for containers, shown a nonce', () => {
  it('answers for the actor of the nonce, also where nobody has to show a token', async () => {
    const actorId = await registerActor(api);
    const { result } = await ask(api.app, `POST /actors/${actorId}/nonces`);
    const sent = await ask(forContainers, `POST /actors/${actorId}/messages?message=m&x-nonce=${result.id}`);
    expect(sent.status).toBe(200);
    for (const line of ['GET /actors', 'GET /health/live', 'GET /docs']) {
      const { status, message } = await ask(forContainers, `${line}?x-nonce=${result.id}`);
      expect({ status, message }).toEqual({ status: 400, message: 'Not authorized.' });
    }
    const other = await ask(forContainers, `GET /actors/${await registerActor(api)}?x-nonce=${result.id}`);
    expect(other.message).toBe('Nonce does not exist.');
  });
});

describe('the header tenant', () => {
  it('is read in any letter case and refused where it names none', async () => {
    const actorId = await registerActor(api, {}, { tenant: 'SD2E' });
    expect((await ask(api.app, `GET /actors/${actorId}`, { headers: { tenant: 'sd2e' } })).status).toBe(200);
    for (const tenant of ['', 'a b', '../x', 'a:b', '{x}', 'x'.repeat(64)]) {
      const { status, message } = await ask(api.app, 'GET /actors', { headers: { tenant } });
      expect(status).toBe(400);
      expect(message).toContain('"tenant"');
    }
  });
});
