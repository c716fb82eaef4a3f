import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, registerActor, sendMessage } from '../../support/api-requests.ts';
import { type ApiService, startApiService } from '../../support/api-service.ts';
import { takeMessage } from '../../support/api-worker.ts';

let api: ApiService;

beforeAll(async () => {
  api = await startApiService();
});

afterAll(async () => {
  await api[Symbol.asyncDispose]();
});

describe('GET /actors/{id}/state', () => {
  it('is {} at first, also for a stateless actor', async () => {
    for (const stateless of [true, false]) {
      const { message, result } = await ask(api.app, `GET /actors/${await registerActor(api, { stateless })}/state`);
      expect(message).toBe('Actor state retrieved successfully.');
      expect(result).toEqual({ state: {} });
    }
  });
});

describe('POST /actors/{id}/state', () => {
  it.each([[{ a: { b: null } }], [[1, 'two']], ['text'], [12.5], [true]])('takes %j, whole', async (state) => {
    const id = await registerActor(api, { stateless: false });
    const { status, message, result } = await ask(api.app, `POST /actors/${id}/state`, { json: state });
    expect(status).toBe(200);
    expect(message).toBe('State updated successfully.');
    expect(result).toMatchObject({ id, state });
    expect((await ask(api.app, `GET /actors/${id}/state`)).result).toEqual({ state });
  });

  it.each(['{}', '[]', '0', '""', 'false', 'null', ''])('refuses %s, which counts as false', async (body) => {
    const id = await registerActor(api, { stateless: false });
    const headers = { 'content-type': 'application/json' };
    const { status, message } = await ask(api.app, `POST /actors/${id}/state`, { body, headers });
    expect(status).toBe(400);
    expect(message).toBe('Invalid actor state description: state must be JSON serializable.');
  });

  it('refuses another content type, JSON that is none, and what no variable can hold', async () => {
    const id = await registerActor(api, { stateless: false });
    const post = (body: string, type = 'application/json'): ReturnType<typeof ask> =>
      ask(api.app, `POST /actors/${id}/state`, { body, headers: { 'content-type': type } });
    expect((await post('{"a":1}', 'text/plain')).message).toContain('Content-Type must be application/json');
    expect((await post('abc', 'application/octet-stream')).message).toContain('Content-Type must be application/json');
    expect((await post('{"a":')).message).toContain('not JSON');
    expect((await post(JSON.stringify('x'.repeat(200_000)))).message).toContain('131071');
    expect((await ask(api.app, `GET /actors/${id}/state`)).result).toEqual({ state: {} });
  });

  it('answers 404 for a stateless actor', async () => {
    const { status, message } = await ask(api.app, `POST /actors/${await registerActor(api)}/state`, { json: [1] });
    expect({ status, message }).toEqual({ status: 404, message: 'actor is stateless.' });
  });

  it('takes the state of an execution by its token, and refuses it once the execution has ended', async () => {
    const id = await registerActor(api, { stateless: false });
    await sendMessage(api, id);
    const played = await takeMessage(api, id);
    const headers = { authorization: `Bearer ${await played.start()}` };
    expect((await ask(api.app, `POST /actors/${id}/state`, { json: { n: 1 }, headers })).status).toBe(200);
    await played.end();
    const late = await ask(api.app, `POST /actors/${id}/state`, { json: { n: 2 }, headers });
    expect(late.status).toBe(400);
    expect((await ask(api.app, `GET /actors/${id}/state`)).result).toEqual({ state: { n: 1 } });
  });
});
