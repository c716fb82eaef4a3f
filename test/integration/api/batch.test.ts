import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, registerActor, sendMessage } from '../../support/api-requests.ts';
import { type ApiService, startApiService } from '../../support/api-service.ts';
import { takeMessage } from '../../support/api-worker.ts';

let api: ApiService;

beforeAll(async () => {
  api = await startApiService({ settings: { ABACO_BLOBS_INLINE_BYTES: '1 KiB', ABACO_MESSAGES_MAX_WAITING: '12000' } });
});

afterAll(async () => {
  await api[Symbol.asyncDispose]();
});

async function send(actorId: string, messages: unknown, headers: Record<string, string> = {}, query = '') {
  return await ask(api.app, `POST /actors/${actorId}/messages/batch${query}`, { json: { messages }, headers });
}

/** What the worker finds. */
async function received(actorId: string) {
  const { claimed } = await takeMessage(api, actorId);
  const { body, contentType, environment } = claimed.message;
  const chunks = 'inline' in body ? [body.inline] : await Array.fromAsync(api.services.blobs.open(body.blob));
  return { id: claimed.lease.executionId, contentType, body: Buffer.concat(chunks).toString(), environment };
}

const waiting = async (actorId: string): Promise<number> =>
  await api.services.mailbox.depth({ tenant: 'DEV', actorId });

describe('POST /actors/{id}/messages/batch', () => {
  it('takes each message as it would alone, in their order, behind those that wait', async () => {
    const id = await registerActor(api);
    const before = await sendMessage(api, id, 'before');
    const large = 'x'.repeat(5_000);
    const { status, result } = await send(
      id,
      [
        'text',
        { message: { b: true, n: 1 } },
        { json: [1, null], environment: { OWN: 'o', BOTH: 'own' } },
        { binary: Buffer.from(large).toString('base64') },
      ],
      {},
      '?ALL=a&BOTH=all',
    );
    expect(status).toBe(200);
    expect(result).toMatchObject({ posted: 4, replayed: 0, refused: 0 });
    const ids = result.messages.map((one: { execution_id: string }) => one.execution_id) as string[];
    expect((await received(id)).id).toBe(before);
    const all = { ALL: 'a', BOTH: 'all' };
    for (const [index, expected] of [
      { contentType: 'str', body: 'text', environment: all },
      { contentType: 'str', body: "{'b': True, 'n': 1}", environment: all },
      {
        contentType: 'application/json',
        body: '[1,null]',
        environment: { ALL: 'a', BOTH: 'own', OWN: 'o' },
      },
      { contentType: 'application/octet-stream', body: large, environment: all },
    ].entries()) {
      expect(await received(id)).toEqual({ id: ids[index], ...expected });
    }
    expect(await waiting(id)).toBe(0);
  });

  it('keeps numbers as they were written', async () => {
    const id = await registerActor(api);
    const body = '{"messages": [{"message": 1.0}, {"json": {"n": 12345678901234567890}}]}';
    const headers = { 'content-type': 'application/json' };
    await ask(api.app, `POST /actors/${id}/messages/batch`, { body, headers });
    expect((await received(id)).body).toBe('1.0');
    expect((await received(id)).body).toBe('{"n": 12345678901234567890}');
  });

  it('refuses one without the others, and says why', async () => {
    const id = await registerActor(api);
    const { status, result } = await send(id, [
      'good',
      '',
      { message: 'a', json: 1 },
      { binary: '???' },
      'x'.repeat(200_000),
      'nul \0',
      { message: 'm', environment: { 'A=B': 'c' } },
      { message: 'm', idempotency_key: 'has blanks' },
      7,
    ]);
    expect(status).toBe(200);
    expect(result).toMatchObject({ posted: 1, refused: 8 });
    expect(await waiting(id)).toBe(1);
    const [first, ...refused] = result.messages as {
      execution_id?: string;
      error?: { code: string; message: string };
    }[];
    expect(first).toEqual({ execution_id: expect.any(String) });
    for (const { execution_id, error } of refused) {
      expect(execution_id).toBeUndefined();
      expect(error?.code).toBe(error?.message.includes('exceeds') ? 'request.too_large' : 'request.invalid');
    }
  });

  it('posts once what is sent twice under its key, in one batch, in two, or alone', async () => {
    const id = await registerActor(api);
    const one = { message: 'm', idempotency_key: 'k' };
    const first = await send(id, [one, one, { ...one, message: 'other' }, 'without']);
    const [taken, again, other] = first.result.messages;
    expect(again).toEqual({ ...taken, replayed: true });
    expect(other.error.code).toBe('request.idempotency_conflict');
    const second = await send(id, [one]);
    expect(second.result).toMatchObject({ posted: 0, replayed: 1, messages: [again] });
    expect(await waiting(id)).toBe(2);
  });

  it('can be repeated whole under the key of the request', async () => {
    const id = await registerActor(api);
    const headers = { 'idempotency-key': 'whole' };
    const first = await send(id, ['same', 'same', 'more'], headers);
    const again = await send(id, ['same', 'same', 'more'], headers);
    const idsOf = (answer: typeof first) =>
      answer.result.messages.map((one: { execution_id: string }) => one.execution_id);
    expect(new Set(idsOf(first)).size).toBe(3);
    expect(idsOf(again)).toEqual(idsOf(first));
    expect(again.result).toMatchObject({ posted: 0, replayed: 3 });
    expect(await waiting(id)).toBe(3);
  });

  it('takes 10,000 and no more, and fills a mailbox to its limit', async () => {
    const id = await registerActor(api);
    const many = Array.from({ length: 10_000 }, (_, index) => `message ${index}`);
    expect((await send(id, [...many, 'one more'])).message).toContain('10001 are given');
    const { result } = await send(id, many);
    expect(result.posted).toBe(10_000);
    const places = await Promise.all(
      [result.messages[0], result.messages[9_999]].map((one: { execution_id: string }) =>
        api.services.mailbox.standing({ tenant: 'DEV', actorId: id }, one.execution_id),
      ),
    );
    expect(places.map((place) => place?.ahead)).toEqual([0, 9_999]);
    const over = await send(id, many);
    expect(over.result).toMatchObject({ posted: 2_000, refused: 8_000 });
    expect(over.result.messages[2_000].error.code).toBe('mailbox.full');
  });

  it.each([
    ['another type', { body: 'a', headers: { 'content-type': 'text/plain' } }, 'Content-Type'],
    ['no list', { json: { messages: 'a' } }, 'must be a list'],
    ['an empty list', { json: [] }, 'must be a list'],
    ['broken JSON', { body: '[', headers: { 'content-type': 'application/json' } }, 'not JSON'],
  ])('refuses %s as a whole', async (_what, question, words) => {
    const id = await registerActor(api);
    const { status, message } = await ask(api.app, `POST /actors/${id}/messages/batch`, question);
    expect([status, message.includes(words)]).toEqual([400, true]);
  });

  it('refuses what is larger than 16 MiB before it reads it', async () => {
    const id = await registerActor(api);
    const headers = { 'content-type': 'application/json', 'content-length': String(17 * 1024 * 1024) };
    const { status, message } = await ask(api.app, `POST /actors/${id}/messages/batch`, { body: '[]', headers });
    expect([status, message]).toEqual([400, 'Request body exceeds max content length of: 16777216']);
  });

  it('keeps no file of what was not taken', async () => {
    const id = await registerActor(api);
    const kept: string[] = [];
    const { blobs } = api.services;
    const put = blobs.put.bind(blobs);
    Object.assign(api.services, {
      blobs: {
        ...blobs,
        put: async (content: Uint8Array) => {
          const one = await put(content);
          kept.push(one.blob);
          return one;
        },
      },
    });
    const item = { message: 'y'.repeat(5_000), idempotency_key: 'once' };
    await send(id, [item, item]);
    Object.assign(api.services, { blobs });
    const sizes = await Promise.all(kept.map((name) => blobs.size(name)));
    // They are kept side by side: either may be the first.
    expect(sizes).toHaveLength(2);
    expect(sizes).toEqual(expect.arrayContaining([5_000, undefined]));
  });
});
