import { writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UnavailableError } from '../../../src/errors.ts';
import { liveLogName } from '../../../src/executions/live-log.ts';
import type { History } from '../../../src/history/history.ts';
import { readEvents } from '../../support/api-events.ts';
import { ask, registerActor, sendMessage } from '../../support/api-requests.ts';
import { type ApiService, startApiService } from '../../support/api-service.ts';
import { listenOnLoopback } from '../../support/api-socket.ts';
import { takeMessage } from '../../support/api-worker.ts';

let api: ApiService;
let historyAway: boolean;

beforeEach(async () => {
  historyAway = false;
  api = await startApiService({ appendfsync: 'always', history: failing, settings: { ABACO_LOGS_POLL: '20ms' } });
});

afterEach(async () => {
  await api[Symbol.asyncDispose]();
});

/** The real history, every call of which fails while it is away. */
function failing(real: History): History {
  return new Proxy(real, {
    get(target, name, receiver) {
      const method: unknown = Reflect.get(target, name, receiver);
      if (typeof method !== 'function') return method;
      return async (...args: unknown[]) => {
        if (historyAway) throw new UnavailableError('history.unavailable', 'History does not answer: the test said so');
        return await (Reflect.apply(method, target, args) as Promise<unknown>);
      };
    },
  });
}

describe('Redis gone', () => {
  it('answers 503 with Retry-After to everything, and recovers by itself with nothing lost', async () => {
    const id = await registerActor(api, { stateless: false });
    const execution = await sendMessage(api, id);
    await api.redis.stop('SIGKILL');
    const lines = [
      'GET /actors',
      'POST /actors?image=debian',
      `GET /actors/${id}`,
      `POST /actors/${id}/messages?message=m`,
      `GET /actors/${id}/messages`,
      `GET /actors/${id}/executions`,
      `GET /actors/${id}/executions/${execution}`,
      `GET /actors/${id}/executions/${execution}/logs`,
      `GET /actors/${id}/executions/${execution}/results`,
      `GET /actors/${id}/state`,
      `GET /actors/${id}/workers`,
      `DELETE /actors/${id}`,
    ];
    for (const line of lines) {
      const { status, headers, message } = await ask(api.app, line);
      expect(status, line).toBe(503);
      expect(Number(headers['retry-after'])).toBeGreaterThan(0);
      expect(message).toMatch(/^storage\.unavailable: Redis does not answer\. \(request /);
    }
    await api.redis.start();
    await expect.poll(async () => (await ask(api.app, `GET /actors/${id}`)).status).toBe(200);
    expect((await ask(api.app, `GET /actors/${id}/messages`)).result.messages).toBe(1);
    expect((await takeMessage(api, id)).id).toBe(execution);
  });

  it('leaves no file of a message that was not taken for certain, and no message', async () => {
    const id = await registerActor(api);
    await api.redis.stop('SIGKILL');
    const body = 'x'.repeat(100_000);
    const headers = { 'content-type': 'application/octet-stream' };
    expect((await ask(api.app, `POST /actors/${id}/messages`, { body, headers })).status).toBe(503);
    await api.redis.start();
    await expect.poll(async () => (await ask(api.app, `GET /actors/${id}/messages`)).result?.messages).toBe(0);
  });

  it('ends a followed execution without "end"; who comes back follows on', async () => {
    const port = await listenOnLoopback(api.app);
    const id = await registerActor(api);
    const execution = await sendMessage(api, id);
    const url = `http://127.0.0.1:${port}/actors/${id}/executions/${execution}/events`;
    await using events = await readEvents(url);
    await events.find(({ event }) => event === 'status');
    await api.redis.stop('SIGKILL');
    expect((await events.ended()).map(({ event }) => event)).not.toContain('end');
    await api.redis.start();
    await expect.poll(async () => (await ask(api.app, `GET /actors/${id}`)).status).toBe(200);
    await using again = await readEvents(url);
    await (await takeMessage(api, id)).end();
    expect((await again.ended()).at(-1)?.event).toBe('end');
  });

  it('answers a synchronous request with 503 and keeps its message', async () => {
    const id = await registerActor(api);
    const answer = ask(api.app, `POST /actors/${id}/messages?_abaco_synchronous=true&message=m`);
    await expect.poll(async () => (await ask(api.app, `GET /actors/${id}/messages`)).result.messages).toBe(1);
    await api.redis.stop('SIGKILL');
    expect((await answer).status).toBe(503);
    await api.redis.start();
    await expect.poll(async () => (await ask(api.app, `GET /actors/${id}/messages`)).result?.messages).toBe(1);
  });
});

describe('the blob directory gone', () => {
  it('answers 503 with Retry-After to large messages, and takes small ones', async () => {
    const id = await registerActor(api);
    const headers = { 'content-type': 'application/octet-stream' };
    const send = (body: string): ReturnType<typeof ask> =>
      ask(api.app, `POST /actors/${id}/messages`, { body, headers });
    await writeFile(api.services.config.blobs.dir, 'a file where the directory belongs');
    const { status, headers: answered, message } = await send('x'.repeat(100_000));
    expect(status).toBe(503);
    expect(Number(answered['retry-after'])).toBeGreaterThan(0);
    expect(message).toMatch(/^blob\.unavailable: /);
    expect((await send('small')).status).toBe(200);
    expect((await ask(api.app, `GET /actors/${id}/messages`)).result.messages).toBe(1);
  });
});

describe('the history gone', () => {
  it('lets posting, running, live logs and what was not drained go on', async () => {
    const id = await registerActor(api, { stateless: false });
    historyAway = true;
    const execution = await sendMessage(api, id);
    const path = `GET /actors/${id}/executions/${execution}`;
    expect((await ask(api.app, path)).result.status).toBe('SUBMITTED');
    const played = await takeMessage(api, id);
    await played.start();
    const live = await api.services.blobs.openLog(liveLogName(execution));
    await live.append(Buffer.from('live\n'));
    await live.close();
    expect((await ask(api.app, `${path}/logs`)).result.logs).toBe('live\n');
    await played.results('result');
    await played.end({ log: 'whole\n' });
    expect((await ask(api.app, path)).result.status).toBe('COMPLETE');
    expect((await ask(api.app, `${path}/logs`)).result.logs).toBe('whole\n');
    expect((await ask(api.app, `${path}/results`)).text).toBe('result');
    expect((await ask(api.app, `POST /actors/${id}/state`, { json: { a: 1 } })).status).toBe(200);
  });

  it('answers 503 with Retry-After that names the history where only the history knows', async () => {
    const id = await registerActor(api);
    const old = api.services.ids.next();
    historyAway = true;
    for (const path of ['', '/logs', '/events']) {
      const { status, headers, message } = await ask(api.app, `GET /actors/${id}/executions/${old}${path}`);
      expect(status).toBe(503);
      expect(Number(headers['retry-after'])).toBeGreaterThan(0);
      expect(message).toMatch(/^history\.unavailable: The history does not answer; what is alive goes on\. \(request /);
    }
    historyAway = false;
    expect((await ask(api.app, `GET /actors/${id}/executions/${old}`)).status).toBe(400);
  });

  it('lists what is there, and says that the rest is missing', async () => {
    const id = await registerActor(api);
    const execution = await sendMessage(api, id);
    historyAway = true;
    const { status, result } = await ask(api.app, `GET /actors/${id}/executions`);
    expect(status).toBe(200);
    expect(result.executions).toMatchObject([{ id: execution }]);
    expect(result.incomplete).toContain('history');
    historyAway = false;
    expect((await ask(api.app, `GET /actors/${id}/executions`)).result).not.toHaveProperty('incomplete');
  });
});
