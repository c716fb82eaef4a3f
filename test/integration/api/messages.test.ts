import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, registerActor, sendMessage } from '../../support/api-requests.ts';
import { type ApiService, startApiService } from '../../support/api-service.ts';
import { takeMessage } from '../../support/api-worker.ts';

let api: ApiService;

beforeAll(async () => {
  api = await startApiService({ settings: { ABACO_BLOBS_INLINE_BYTES: '1 KiB', ABACO_MESSAGES_MAX_WAITING: '5' } });
});

afterAll(async () => {
  await api[Symbol.asyncDispose]();
});

/** What the worker finds: type and bytes of the message, also when it was kept as a file. */
async function received(actorId: string): Promise<{ readonly contentType: string; readonly body: string }> {
  const { message } = (await takeMessage(api, actorId)).claimed;
  const { body } = message;
  const chunks = 'inline' in body ? [body.inline] : await Array.fromAsync(api.services.blobs.open(body.blob));
  return { contentType: message.contentType, body: Buffer.concat(chunks).toString() };
}

describe('POST /actors/{id}/messages', () => {
  it('answers the id of the execution, the message and links', async () => {
    const id = await registerActor(api);
    const answer = await ask(api.app, `POST /actors/v2/${id}/messages`, { json: { message: 'hello' } });
    expect(answer.status).toBe(200);
    expect(answer.message).toBe('The request was successful');
    const { execution_id: executionId, msg, _links } = answer.result;
    expect(msg).toBe('hello');
    expect(_links.self).toMatch(new RegExp(`/actors/v2/${id}/executions/${executionId}$`));
    expect(_links.messages).toMatch(new RegExp(`/actors/v2/${id}/messages$`));
    expect(await received(id)).toEqual({ contentType: 'str', body: 'hello' });
  });

  it.each([
    ['a JSON object under message', { json: { message: { b: true, a: 'x' } } }, 'str', "{'b': True, 'a': 'x'}"],
    ['a number under message', { json: { message: 1.0 } }, 'str', '1'],
    ['a list under message', { json: { message: ['first', 'second'] } }, 'str', 'first'],
    ['a form', { form: 'message=from+a+form' }, 'str', 'from a form'],
    ['JSON without message', { json: { other: 1 } }, 'application/json', '{"other":1}'],
    ['an empty message beside other keys', { json: { message: '', a: 1 } }, 'application/json', '{"message":"","a":1}'],
    ['text that is JSON', { body: '[1, null]', headers: { 'content-type': 'text/plain' } }, 'str', '[1, None]'],
  ])('takes %s', async (_what, question, contentType, body) => {
    const id = await registerActor(api);
    expect((await ask(api.app, `POST /actors/${id}/messages`, question)).status).toBe(200);
    expect(await received(id)).toEqual({ contentType, body });
  });

  it('takes message from the query before any body, also before bytes', async () => {
    const id = await registerActor(api);
    const headers = { 'content-type': 'application/octet-stream', 'content-length': '3' };
    const sent = await ask(api.app, `POST /actors/${id}/messages?message=query`, { body: 'abc', headers });
    expect(sent.result.msg).toBe('query');
    expect(await received(id)).toEqual({ contentType: 'str', body: 'query' });
  });

  it.each([3, 5_000])('takes %i bytes as they are', async (size) => {
    const id = await registerActor(api);
    const body = 'x'.repeat(size);
    const headers = { 'content-type': 'application/octet-stream' };
    const { result } = await ask(api.app, `POST /actors/${id}/messages`, { body, headers });
    expect(result.msg).toBe('binary - omitted');
    expect(await received(id)).toEqual({ contentType: 'application/octet-stream', body });
  });

  it('hands on query parameters, the first of each, and who sent it', async () => {
    const id = await registerActor(api);
    await ask(api.app, `POST /actors/${id}/messages?message=m&A=1&A=2&_abaco_username=forged&x-nonce=N`);
    const { message } = (await takeMessage(api, id)).claimed;
    expect(message.environment).toEqual({ A: '1', _abaco_username: 'forged', 'x-nonce': 'N' });
    expect(message.executor).toBe('anonymous');
  });

  it('takes messages of an actor that is not ready', async () => {
    const id = await registerActor(api, {}, { ready: false });
    await sendMessage(api, id);
    expect((await ask(api.app, `GET /actors/${id}/messages`)).result.messages).toBe(1);
  });

  it('answers 429 with Retry-After when the mailbox is full', async () => {
    const id = await registerActor(api);
    for (let count = 0; count < 5; count += 1) await sendMessage(api, id);
    const { status, headers, message } = await ask(api.app, `POST /actors/${id}/messages`, { json: { message: 'x' } });
    expect(status).toBe(429);
    expect(headers['retry-after']).toBeDefined();
    expect(message).toContain('is full');
  });

  it('refuses new messages with 503 while it drains', async () => {
    const id = await registerActor(api);
    api.services.health.draining = true;
    try {
      const { status, headers } = await ask(api.app, `POST /actors/${id}/messages`, { json: { message: 'x' } });
      expect(status).toBe(503);
      expect(headers['retry-after']).toBeDefined();
      expect((await ask(api.app, `GET /actors/${id}`)).status).toBe(200);
    } finally {
      api.services.health.draining = false;
    }
  });
});

describe('GET and DELETE /actors/{id}/messages', () => {
  it('counts what waits, not what is being run', async () => {
    const id = await registerActor(api);
    for (const message of ['a', 'b', 'c']) await sendMessage(api, id, message);
    await takeMessage(api, id);
    const { message, result } = await ask(api.app, `GET /actors/${id}/messages`);
    expect(message).toBe('The request was successful');
    expect(result.messages).toBe(2);
    expect(result._links.self).toMatch(new RegExp(`/actors/v2/${id}/messages$`));
    expect(result._links.owner).toMatch(/\/profiles\/v2\/anonymous$/);
  });

  it('purges what waits, whose executions end as cancelled; what runs goes on', async () => {
    const id = await registerActor(api);
    const running = await sendMessage(api, id);
    await takeMessage(api, id);
    const waiting = await sendMessage(api, id);
    const { result } = await ask(api.app, `DELETE /actors/${id}/messages`);
    expect(result.msg).toBe('Actor mailbox purged.');
    expect((await ask(api.app, `GET /actors/${id}/messages`)).result.messages).toBe(0);
    const purged = (await ask(api.app, `GET /actors/${id}/executions/${waiting}`)).result;
    expect(purged).toMatchObject({ status: 'COMPLETE', end: 'cancelled', exit_code: 'undetermined' });
    expect((await ask(api.app, `GET /actors/${id}/executions/${running}`)).result.status).toBe('SUBMITTED');
  });
});

describe('GET /actors/{id}/messages?count=N', () => {
  it('shows the messages that wait, the next one first, and leaves them', async () => {
    const id = await registerActor(api);
    await sendMessage(api, id, 'running');
    await takeMessage(api, id);
    const first = await sendMessage(api, id, 'first');
    await ask(api.app, `POST /actors/${id}/messages?secret=s`, { json: { n: 1 } });
    const headers = { 'content-type': 'application/octet-stream' };
    await ask(api.app, `POST /actors/${id}/messages`, { body: Buffer.from([0, 255]), headers });
    await ask(api.app, `POST /actors/${id}/messages`, { body: 'x'.repeat(5_000), headers });
    const { result, text } = await ask(api.app, `GET /actors/${id}/messages?count=10`);
    expect(result.messages).toBe(4);
    expect(result.waiting).toMatchObject([
      { execution_id: first, executor: 'anonymous', content_type: 'str', bytes: 5, message: 'first' },
      { content_type: 'application/json', message: '{"n":1}' },
      { content_type: 'application/octet-stream', bytes: 2, message: 'AP8=' },
      { bytes: 5_000, message: Buffer.from('x'.repeat(5_000)).toString('base64') },
    ]);
    expect(text).not.toContain('secret');
    expect((await ask(api.app, `GET /actors/${id}/messages?count=1`)).result.waiting).toHaveLength(1);
    expect((await ask(api.app, `GET /actors/${id}/messages?count=0`)).result.waiting).toEqual([]);
    expect((await takeMessage(api, id)).id).toBe(first);
  });

  it('shows nothing where nobody asks, and refuses what is no number', async () => {
    const id = await registerActor(api);
    await sendMessage(api, id);
    const { result } = await ask(api.app, `GET /actors/${id}/messages`);
    expect(Object.keys(result as object).toSorted()).toEqual(['_links', 'messages']);
    expect((await ask(api.app, `GET /actors/${id}/messages?count=-1`)).status).toBe(400);
  });

  it('tells of what is too large for one answer only what it is', async () => {
    const id = await registerActor(api);
    const headers = { 'content-type': 'application/octet-stream' };
    await ask(api.app, `POST /actors/${id}/messages`, { body: Buffer.alloc(9 * 1024 * 1024), headers });
    await sendMessage(api, id, 'small');
    const { result } = await ask(api.app, `GET /actors/${id}/messages?count=5`);
    expect(result.waiting).toMatchObject([{ bytes: 9 * 1024 * 1024, message: null }, { message: 'small' }]);
  });
});

describe('Idempotency-Key', () => {
  it('returns the first execution again, and says so', async () => {
    const id = await registerActor(api);
    const question = { json: { message: 'once' }, headers: { 'idempotency-key': 'key-1' } };
    const first = await ask(api.app, `POST /actors/${id}/messages?a=1`, question);
    const again = await ask(api.app, `POST /actors/${id}/messages?a=1`, question);
    expect(first.headers['idempotency-replayed']).toBeUndefined();
    expect(again.headers['idempotency-replayed']).toBe('true');
    expect(again.result.execution_id).toBe(first.result.execution_id);
    expect((await ask(api.app, `GET /actors/${id}/messages`)).result.messages).toBe(1);
  });

  it('makes one execution of many requests at once', async () => {
    const id = await registerActor(api);
    const question = { json: { message: 'once' }, headers: { 'idempotency-key': 'key-0' } };
    const path = `POST /actors/${id}/messages`;
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask(api.app, path, question)));
    expect(new Set(answers.map(({ result }) => result.execution_id as string)).size).toBe(1);
    expect(answers.filter(({ headers }) => headers['idempotency-replayed'] === undefined)).toHaveLength(1);
  });

  it.each([
    ['another body', 'a=1', { message: 'twice' }, {}],
    ['another query', 'a=2', { message: 'once' }, {}],
    ['another content type', 'a=1', { message: 'once' }, { 'content-type': 'application/json; charset=utf-8' }],
  ])('is refused with %s, and nothing changes', async (_what, query, json, headers) => {
    const id = await registerActor(api);
    const key = { 'idempotency-key': 'key-2' };
    await ask(api.app, `POST /actors/${id}/messages?a=1`, { json: { message: 'once' }, headers: key });
    const refused = await ask(api.app, `POST /actors/${id}/messages?${query}`, {
      json,
      headers: { ...key, ...headers },
    });
    expect(refused.status).toBe(400);
    expect(refused.message).toContain('Idempotency-Key is refused');
    expect((await ask(api.app, `GET /actors/${id}/messages`)).result.messages).toBe(1);
  });

  it('is compared over bytes too, and a replay keeps no second file', async () => {
    const id = await registerActor(api);
    const send = (body: string): ReturnType<typeof ask> =>
      ask(api.app, `POST /actors/${id}/messages`, {
        body,
        headers: { 'content-type': 'application/octet-stream', 'idempotency-key': 'key-3' },
      });
    const first = await send('x'.repeat(5_000));
    const again = await send('x'.repeat(5_000));
    expect(again.result.execution_id).toBe(first.result.execution_id);
    expect((await send('y'.repeat(5_000))).status).toBe(400);
    expect(await received(id)).toEqual({ contentType: 'application/octet-stream', body: 'x'.repeat(5_000) });
  });

  it.each([' ', 'ü', 'x'.repeat(256)])('is refused where it is not 1 to 255 visible characters (%j)', async (key) => {
    const id = await registerActor(api);
    const headers = { 'idempotency-key': key };
    const { status, message } = await ask(api.app, `POST /actors/${id}/messages`, { json: { message: 'x' }, headers });
    expect(status).toBe(400);
    expect(message).toContain('Idempotency-Key');
  });
});
