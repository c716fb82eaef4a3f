import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { UnavailableError } from '../../../src/errors.ts';
import type { History } from '../../../src/history/history.ts';
import { openRedis } from '../../../src/storage/redis.ts';
import { ask, askUntilComplete, registerActor, sendMessage } from '../../support/api-requests.ts';
import { startApiService } from '../../support/api-service.ts';
import { takeMessage } from '../../support/api-worker.ts';

/** The real history, whose writes wait for `gate`. */
function slow(gate: Promise<void>) {
  return (real: History): History => ({
    ...real,
    write: async (batch) => {
      await gate;
      await real.write(batch);
    },
  });
}

describe('a search', () => {
  it('that would wait longer than two seconds for the history to be written says so, and finds it later', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    await using api = await startApiService({ history: slow(promise) });
    const id = await registerActor(api);
    const { result } = await ask(api.app, 'GET /actors/search/actors');
    expect(result.search).toEqual([]);
    expect(result._metadata.incomplete).toContain('ask again');
    resolve();
    const later = await askUntilComplete(api.app, 'GET /actors/search/actors');
    expect(later.result.search).toMatchObject([{ id }]);
    expect(later.result._metadata).not.toHaveProperty('incomplete');
  });

  it('sees what waits behind others, states that were set, and goes on doing so after the news were broken', async () => {
    await using api = await startApiService();
    const id = await registerActor(api, { stateless: false });
    const total = async (query: string) =>
      (await askUntilComplete(api.app, `GET /actors/search/${query}`)).result._metadata.total_count;
    for (const count of [1, 2, 3]) {
      await sendMessage(api, id);
      expect(await total('executions')).toBe(count);
      await ask(api.app, `POST /actors/${id}/state`, { json: { count } });
      expect(await total(`actors?state.count=${count}`)).toBe(1);
    }
    const redis = await openRedis({ url: api.redis.url, onError: () => undefined });
    await redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    redis.disconnect();
    await sendMessage(api, id);
    const other = await registerActor(api);
    expect(await total('executions')).toBe(4);
    expect(await total(`actors?id=${other}`)).toBe(1);
    await sendMessage(api, other);
    expect(await total('executions')).toBe(5);
  });

  it('is answered with 503 while the history is away; workers are found all the same', async () => {
    const away = async () => Promise.reject(new UnavailableError('history.unavailable', 'History does not answer'));
    await using api = await startApiService({ history: (real) => ({ ...real, write: away, search: away }) });
    await registerActor(api);
    const { status, headers } = await ask(api.app, 'GET /actors/search/executions');
    expect(status).toBe(503);
    expect(Number(headers['retry-after'])).toBeGreaterThan(0);
    expect((await ask(api.app, 'GET /actors/search/workers')).status).toBe(200);
  });

  it('shows an actor whole whose state is too large to be searched', async () => {
    await using api = await startApiService();
    const id = await registerActor(api, { stateless: false, name: 'large' });
    const state = { text: 'x'.repeat(100_000), count: 1 };
    await ask(api.app, `POST /actors/${id}/state`, { json: state });
    const { result } = await askUntilComplete(api.app, 'GET /actors/search/actors?name=large');
    expect(result.search).toHaveLength(1);
    expect(result.search[0]).toEqual((await ask(api.app, `GET /actors/${id}`)).result);
    expect((await ask(api.app, 'GET /actors/search/actors?state.count=1')).result.search).toEqual([]);
  });

  it('finds a log by its first 64 KiB, answers with all of it, and keeps an answer of many logs small', async () => {
    await using api = await startApiService();
    const id = await registerActor(api);
    const log = `needle\n${'x '.repeat(1_000_000)}end`;
    for (let count = 0; count < 10; count += 1) {
      await sendMessage(api, id);
      const played = await takeMessage(api, id);
      await played.start();
      await played.end({ log });
    }
    const { result } = await askUntilComplete(api.app, 'GET /actors/search/logs?exactsearch=needle');
    expect(result._metadata).toMatchObject({ total_count: 10, count_returned: 8 });
    expect(result.search[0].logs).toBe(log);
    const rest = await askUntilComplete(api.app, 'GET /actors/search/logs?exactsearch=needle&skip=8');
    expect(rest.result._metadata).toMatchObject({ total_count: 10, records_skipped: 8, count_returned: 2 });
    expect((await ask(api.app, 'GET /actors/search/logs?exactsearch=end')).result.search).toEqual([]);
  });

  it('does not stop the server for a pattern that explodes elsewhere', async () => {
    await using api = await startApiService();
    for (let count = 0; count < 20; count += 1) await registerActor(api, { description: `${'a'.repeat(900)}!` });
    const { status, result } = await askUntilComplete(
      api.app,
      'GET /actors/search/actors?description.like=^(a%2B)%2B$',
    );
    expect(status).toBe(200);
    expect(result.search).toEqual([]);
  });

  it('answers others while it looks for a large pattern in many texts of one record', async () => {
    await using api = await startApiService();
    const id = await registerActor(api, { stateless: false });
    // No two alike, so that what the automaton has learnt of one is of no use for the next.
    const texts = Array.from({ length: 24 }, (_, seed) =>
      Array.from({ length: 1_000 }, (_unused, index) => (hashOf(seed, index) % 2 === 0 ? 'a' : 'b')).join(''),
    );
    expect((await ask(api.app, `POST /actors/${id}/state`, { json: { texts } })).status).toBe(200);
    const pattern = encodeURIComponent(`(a|b)*a${'.'.repeat(240)}[!-#]`);
    const line = `GET /actors/search/actors?state.texts.like=${pattern}`;
    // Once beforehand, so that neither what the history lacks nor the compiler is waited for below.
    await askUntilComplete(api.app, line);
    let ended = false;
    const search = ask(api.app, line).finally(() => {
      ended = true;
    });
    let answered = 0;
    while (!ended) {
      expect((await ask(api.app, 'GET /actors')).status).toBe(200);
      if (!ended) answered += 1;
    }
    const { status, result, message } = await search;
    expect(status, message).toBe(200);
    expect(result.search).toEqual([]);
    // One may come before the search has begun to look.
    expect(answered).toBeGreaterThan(1);
  });
});

function hashOf(seed: number, index: number): number {
  return createHash('sha256').update(`${seed} ${index}`).digest().readUInt8(0);
}
