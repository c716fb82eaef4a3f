import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readEvents } from '../../support/api-events.ts';
import { registerActor, sendMessage } from '../../support/api-requests.ts';
import { type ApiService, startApiService } from '../../support/api-service.ts';
import { connectRaw, listenOnLoopback } from '../../support/api-socket.ts';
import { takeMessage } from '../../support/api-worker.ts';

let api: ApiService;
let port: number;

beforeAll(async () => {
  api = await startApiService();
  port = await listenOnLoopback(api.app);
});

afterAll(async () => {
  await api[Symbol.asyncDispose]();
});

function eventsOf(actorId: string, executionId: string): string {
  return `http://127.0.0.1:${port}/actors/v2/${actorId}/executions/${executionId}/events`;
}

describe('GET /actors/{id}/executions/{execution}/events', () => {
  it('tells each status once and then the end', async () => {
    const id = await registerActor(api);
    await using events = await readEvents(eventsOf(id, await sendMessage(api, id)));
    await events.find(({ data }) => data['status'] === 'SUBMITTED');
    const played = await takeMessage(api, id);
    await played.start();
    await events.find(({ data }) => data['status'] === 'RUNNING');
    await played.end({ end: 'out-of-memory', exitCode: 137 });
    const all = await events.ended();
    const statuses = [...new Set(all.map(({ event, data }) => `${event} ${String(data['status'])}`))];
    expect(statuses).toEqual(['status SUBMITTED', 'status RUNNING', 'end COMPLETE']);
    expect(all.at(-1)?.data).toMatchObject({ end: 'out-of-memory', exit_code: 137 });
  });

  it('tells only the end of what has ended', async () => {
    const id = await registerActor(api);
    const execution = await sendMessage(api, id);
    await (await takeMessage(api, id)).end();
    await using events = await readEvents(eventsOf(id, execution));
    expect((await events.ended()).map(({ event }) => event)).toEqual(['end']);
  });

  it('ends without an event "end" when the server stops, so that readers come back', async () => {
    const other = api.another({});
    const otherPort = await listenOnLoopback(other);
    const id = await registerActor(api);
    const url = eventsOf(id, await sendMessage(api, id)).replace(String(port), String(otherPort));
    await using events = await readEvents(url);
    await events.find(({ event }) => event === 'status');
    await other.close();
    expect((await events.ended()).some(({ event }) => event === 'end')).toBe(false);
  });

  it('answers HEAD without following', async () => {
    const id = await registerActor(api);
    const { status, headers } = await fetch(eventsOf(id, await sendMessage(api, id)), { method: 'HEAD' });
    expect([status, headers.get('content-type')]).toEqual([200, 'text/event-stream']);
  });

  it('starts with how soon to come back', async () => {
    const id = await registerActor(api);
    const path = `/actors/${id}/executions/${await sendMessage(api, id)}/events`;
    await using connection = await connectRaw(port, `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    const received = await connection.until('retry: 1000');
    expect(received).toMatch(/cache-control: no-cache/i);
  });
});
