/** The limit of what one user follows at once: told with its setting, and given back however a stream ends. */

import { once } from 'node:events';
import type { FastifyInstance } from 'fastify';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { readEvents } from '../../support/api-events.ts';
import { ask, registerActor, sendMessage } from '../../support/api-requests.ts';
import { type ApiService, startApiService } from '../../support/api-service.ts';
import { connectRaw, listenOnLoopback } from '../../support/api-socket.ts';
import { takeMessage } from '../../support/api-worker.ts';
import { programAvailable } from '../../support/program.ts';
import { requireService } from '../../support/services.ts';
import { until } from '../../support/until.ts';

const caller = { tenant: 'DEV', user: 'anonymous' };

describe.runIf(requireService('redis', await programAvailable('redis-server')))('limits.streams_per_user', () => {
  let api: ApiService;
  let actor: string;
  let execution: string;
  let base: string;

  beforeEach(async () => {
    api = await startApiService({ settings: { ABACO_LIMITS_STREAMS_PER_USER: '2' } });
    actor = await registerActor(api);
    execution = await sendMessage(api, actor);
    base = `http://127.0.0.1:${await listenOnLoopback(api.app)}/actors/${actor}/executions/${execution}`;
  });
  afterEach(async () => await api[Symbol.asyncDispose]());

  /** Of two, as it is refused or not to open one more. */
  const free = (app: FastifyInstance = api.app): number => {
    using taken = new DisposableStack();
    for (let count = 0; ; count += 1) {
      try {
        taken.use(app.streams.open(caller));
      } catch {
        return count;
      }
    }
  };
  const expectAllFree = async (app?: FastifyInstance): Promise<void> => {
    expect(await until(() => free(app) === 2, { what: 'two free places' })).toBe(true);
  };

  it('refuses another with 429, and when to come again', async () => {
    await using events = await readEvents(`${base}/events`);
    await using logs = await readEvents(`${base}/logs?follow=true`);
    expect([events.status, logs.status]).toEqual([200, 200]);
    const refused = await fetch(`${base}/logs`, { headers: { accept: 'text/event-stream' } });
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '5']);
    expect(await refused.json()).toMatchObject({
      status: 'error',
      message: expect.stringMatching(/^User "anonymous" has 2 .*, the limit of limits\.streams_per_user; /),
    });
    // What ends at once is none.
    expect((await fetch(`${base}/logs`)).status).toBe(200);
    expect((await fetch(`${base}/events`, { method: 'HEAD' })).status).toBe(200);
  });

  it('counts those who wait for the answer to a message, which is not posted then', async () => {
    await using events = await readEvents(`${base}/events`);
    expect(events.status).toBe(200);
    const line = `POST /actors/${actor}/messages?_abaco_synchronous=true`;
    const head = `${line} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{"message":"m"}`;
    await using waiting = await connectRaw(Number(new URL(base).port), head);
    const depth = () => api.services.mailbox.depth({ tenant: 'DEV', actorId: actor });
    await until(async () => (await depth()) === 2);
    expect((await ask(api.app, line, { json: { message: 'm' } })).status).toBe(429);
    expect(await depth()).toBe(2);
    expect(await sendMessage(api, actor)).not.toBe('');
    waiting.socket.destroy();
    await until(() => free() === 1, { what: 'the place of who hung up' });
  });

  it('has the place back when the execution ends, and when the reader leaves', async () => {
    {
      await using logs = await readEvents(`${base}/logs?follow=true`);
      expect([logs.status, free()]).toEqual([200, 1]);
    }
    await expectAllFree();
    await using events = await readEvents(`${base}/events`);
    expect(free()).toBe(1);
    await (await takeMessage(api, actor)).end();
    await events.ended();
    await expectAllFree();
  });

  it('has the place back of who left before the stream was opened', async () => {
    const app = api.another({});
    let isAsked = false;
    app.addHook('preHandler', async (_request, reply) => {
      isAsked = true;
      await once(reply.raw, 'close');
    });
    await app.ready();
    const opened = vi.spyOn(app.streams, 'open');
    const port = await listenOnLoopback(app);
    const path = new URL(`${base}/events`).pathname;
    await using connection = await connectRaw(port, `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    await until(() => isAsked);
    connection.socket.destroy();
    await until(() => opened.mock.calls.length > 0);
    expect(opened).toHaveBeenCalledTimes(1);
    await expectAllFree(app);
  });

  it('has the place back where following breaks', async () => {
    const { blobs } = api.services;
    const played = await takeMessage(api, actor);
    await played.start();
    Object.assign(blobs, { size: async () => await Promise.reject(new Error('the disk is away')) });
    await using logs = await readEvents(`${base}/logs?follow=true`);
    expect((await logs.ended()).some(({ event }) => event === 'end')).toBe(false);
    await expectAllFree();
  });
});
