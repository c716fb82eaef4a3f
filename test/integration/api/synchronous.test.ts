import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, registerActor } from '../../support/api-requests.ts';
import { type ApiService, startApiService } from '../../support/api-service.ts';
import { connectRaw, listenOnLoopback } from '../../support/api-socket.ts';
import { type PlayedExecution, takeMessage } from '../../support/api-worker.ts';
import { until } from '../../support/until.ts';

let api: ApiService;

beforeAll(async () => {
  api = await startApiService({ settings: { ABACO_LIMITS_SYNC_WAIT: '1s' } });
});

afterAll(async () => {
  await api[Symbol.asyncDispose]();
});

function ping(actorId: string, headers: Record<string, string> = {}): ReturnType<typeof ask> {
  return ask(api.app, `POST /actors/${actorId}/messages?_abaco_synchronous=TRUE`, {
    json: { message: 'ping' },
    headers,
  });
}

async function takeSoon(actorId: string): Promise<PlayedExecution> {
  return await until(() => takeMessage(api, actorId).catch(() => undefined), { what: 'a message to take' });
}

describe('POST messages?_abaco_synchronous=true', () => {
  it('answers the first result as it was sent, while the execution goes on; the rest stays readable', async () => {
    const id = await registerActor(api);
    const answer = ping(id);
    const played = await takeSoon(id);
    await played.start();
    await played.results('first', 'second');
    const { status, text, headers } = await answer;
    expect([status, text, headers['content-type']]).toEqual([200, 'first', 'application/octet-stream']);
    expect(headers['location']).toMatch(new RegExp(`/actors/v2/${id}/executions/${played.id}$`));
    await played.end();
    expect((await ask(api.app, `GET /actors/${id}/executions/${played.id}/results`)).text).toBe('second');
  });

  it('answers the log where the execution ends without a result', async () => {
    const id = await registerActor(api);
    const answer = ping(id);
    const played = await takeSoon(id);
    await played.start();
    await played.end({ log: '<b>log</b>\n', exitCode: 1 });
    const { status, text, headers } = await answer;
    expect([status, text, headers['content-type']]).toEqual([200, '<b>log</b>\n', 'text/html; charset=utf-8']);
    expect(headers['content-security-policy']).toBe('sandbox');
    expect(headers['location']).toMatch(new RegExp(`/actors/v2/${id}/executions/${played.id}$`));
  });

  it('ends with an execution in ERROR too', async () => {
    const id = await registerActor(api);
    const answer = ping(id);
    await (await takeSoon(id)).end({ end: 'launch-failed' });
    expect(await answer).toMatchObject({ status: 200, text: '' });
  });

  it('answers 504 and where to look when it takes too long; the execution goes on', async () => {
    const id = await registerActor(api);
    const answer = ping(id);
    const played = await takeSoon(id);
    const { status, headers, message } = await answer;
    expect(status).toBe(504);
    expect(headers['location']).toMatch(new RegExp(`/actors/v2/${id}/executions/${played.id}$`));
    expect(message).toContain(played.id);
    await played.end();
  });

  it('is refused behind more than three others, and not when it repeats one that was taken', async () => {
    const id = await registerActor(api);
    const path = `POST /actors/${id}/messages`;
    for (let count = 0; count < 3; count += 1) await ask(api.app, path, { json: { message: 'm' } });
    const key = { 'idempotency-key': 'fourth' };
    expect((await ping(id, key)).status).toBe(504);
    const { status, message } = await ping(id);
    expect([status, message]).toEqual([400, 'Cannot issue synchronous execution when actor message queue > 0.']);
    expect((await ping(id, key)).status).toBe(504);
    expect((await ask(api.app, path, { json: { message: 'not synchronous' } })).status).toBe(200);
  });

  it('waits for the same execution when it is repeated with its Idempotency-Key', async () => {
    const id = await registerActor(api);
    const key = { 'idempotency-key': 'sync' };
    const answers = [ping(id, key), ping(id, key)];
    const played = await takeSoon(id);
    await played.start();
    await played.results('one');
    await played.end({ log: 'the log' });
    const texts = (await Promise.all(answers)).map(({ text }) => text);
    expect(texts.toSorted()).toEqual(['one', 'the log']);
    expect((await ask(api.app, `GET /actors/${id}/executions`)).result.total_executions).toBe(1);
  });

  it('leaves the execution alone when the client hangs up, and serves on', async () => {
    const other = api.another({});
    const port = await listenOnLoopback(other);
    const id = await registerActor(api);
    const body = '{"message":"ping"}';
    const head = `POST /actors/${id}/messages?_abaco_synchronous=true HTTP/1.1\r\nHost: localhost\r\n`;
    const text = `${head}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    const connection = await connectRaw(port, text);
    const played = await takeSoon(id);
    await played.start();
    connection.socket.resetAndDestroy();
    await until(() => new Promise<boolean>((done) => other.server.getConnections((_, count) => done(count === 0))));
    await played.results('kept');
    await played.end({ log: 'done' });
    const path = `/actors/${id}/executions/${played.id}`;
    expect((await ask(other, `GET ${path}`)).result.status).toBe('COMPLETE');
    expect((await ask(other, `GET ${path}/results`)).text).toBe('kept');
  });

  it('answers 503 when the server stops meanwhile', async () => {
    const other = api.another({});
    const port = await listenOnLoopback(other);
    const id = await registerActor(api);
    const answer = fetch(`http://127.0.0.1:${port}/actors/${id}/messages?_abaco_synchronous=true&message=m`, {
      method: 'POST',
    });
    const played = await takeSoon(id);
    await other.close();
    const { status, headers } = await answer;
    expect(status).toBe(503);
    expect(headers.get('retry-after')).not.toBeNull();
    await played.end();
  });
});
