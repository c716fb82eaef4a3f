import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { truncationMark } from '../../../src/api/execution-reader.ts';
import { liveLogName } from '../../../src/executions/live-log.ts';
import { readEvents } from '../../support/api-events.ts';
import { ask, registerActor, sendMessage } from '../../support/api-requests.ts';
import { type ApiService, startApiService } from '../../support/api-service.ts';
import { listenOnLoopback } from '../../support/api-socket.ts';
import { type PlayedExecution, takeMessage } from '../../support/api-worker.ts';

let api: ApiService;
let base: string;

beforeAll(async () => {
  api = await startApiService({ settings: { ABACO_LOGS_POLL: '20ms' } });
  base = `http://127.0.0.1:${await listenOnLoopback(api.app)}`;
});

afterAll(async () => {
  await api[Symbol.asyncDispose]();
});

async function startPlayed(): Promise<{ readonly played: PlayedExecution; readonly path: string }> {
  const id = await registerActor(api);
  const execution = await sendMessage(api, id);
  const played = await takeMessage(api, id);
  await played.start();
  return { played, path: `/actors/${id}/executions/${execution}/logs` };
}

const textOf = (events: readonly { readonly event: string; readonly data: object }[]): string =>
  events
    .filter(({ event }) => event === 'log')
    .map(({ data }) => (data as { readonly logs: string }).logs)
    .join('');

describe('GET /actors/{id}/executions/{execution}/logs', () => {
  it('is empty at first, then what was written so far, then the whole log', async () => {
    const { played, path } = await startPlayed();
    const read = async () => (await ask(api.app, `GET ${path}`)).result.logs;
    expect(await read()).toBe('');
    await using writer = await openLog(played.id);
    await writer.append('so far\n');
    expect(await read()).toBe('so far\n');
    await played.end({ log: 'so far\nand the rest\n' });
    expect(await read()).toBe('so far\nand the rest\n');
  });

  it('links to the execution, and says that it was cut', async () => {
    const { played, path } = await startPlayed();
    await played.end({ log: 'a', truncated: true });
    const { message, result } = await ask(api.app, `GET ${path}`);
    expect(message).toBe('Logs retrieved successfully.');
    expect(result.logs).toBe(`a${truncationMark}`);
    expect(result._links.self.endsWith(path.replace('/actors', '/actors/v2'))).toBe(true);
    expect(`${result._links.execution}/logs`).toBe(result._links.self);
  });
});

describe('following a log', () => {
  it('sends what is written as it is written, then the end, and characters whole', async () => {
    const { played, path } = await startPlayed();
    await using writer = await openLog(played.id);
    const euro = Buffer.from('€');
    await writer.append(Buffer.concat([Buffer.from('price '), euro.subarray(0, 1)]));
    await using events = await readEvents(`${base}${path}?follow=true`, { accept: '*/*' });
    expect(events.contentType).toBe('text/event-stream');
    expect((await events.find(({ event }) => event === 'log')).data).toEqual({ logs: 'price ' });
    await writer.append(euro.subarray(1));
    await events.find(({ data }) => data['logs'] === '€');
    await played.end({ log: 'price €\nend\n', exitCode: 4 });
    const all = await events.ended();
    expect(textOf(all)).toBe('price €\nend\n');
    expect(all.at(-1)).toMatchObject({ event: 'end', data: { status: 'COMPLETE', end: 'exited', exit_code: 4 } });
  });

  it('goes on at Last-Event-ID after the connection broke', async () => {
    const { played, path } = await startPlayed();
    await played.end({ log: 'first\nsecond\n' });
    await using events = await readEvents(`${base}${path}`, { 'last-event-id': '6' });
    expect(textOf(await events.ended())).toBe('second\n');
  });

  it.each(['-5', 'abc', '1e400', '99999'])('takes %s as Last-Event-ID without harm', async (id) => {
    const { played, path } = await startPlayed();
    await played.end({ log: 'text' });
    await using events = await readEvents(`${base}${path}`, { 'last-event-id': id });
    expect((await events.ended()).at(-1)?.event).toBe('end');
  });

  it('follows from before the start, and says where the log was cut', async () => {
    const id = await registerActor(api);
    const execution = await sendMessage(api, id);
    await using events = await readEvents(`${base}/actors/${id}/executions/${execution}/logs`);
    const played = await takeMessage(api, id);
    await played.start();
    await played.end({ log: 'cut', truncated: true });
    expect(textOf(await events.ended())).toBe(`cut${truncationMark}`);
  });

  it('answers an unknown execution with the error, not with a stream', async () => {
    const id = await registerActor(api);
    await using events = await readEvents(`${base}/actors/${id}/executions/${api.services.ids.next()}/logs`);
    expect(events.status).toBe(400);
    expect(events.contentType).toContain('application/json');
  });
});

async function openLog(
  executionId: string,
): Promise<{ append(text: string | Buffer): Promise<void> } & AsyncDisposable> {
  const writer = await api.services.blobs.openLog(liveLogName(executionId));
  return { append: (text) => writer.append(Buffer.from(text as Buffer)), [Symbol.asyncDispose]: () => writer.close() };
}
