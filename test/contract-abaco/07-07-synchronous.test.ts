/**
 * Contract §7.7. Proved elsewhere: the first result while the execution goes on and the rest readable, the log in place of a
 * result, an end in ERROR, the time limit, the refusal behind more than three messages (`integration/api/synchronous.test.ts`).
 *
 * Not tested here: what tapis-cli prints, which is its own; the hint `sync`, which the service keeps and gives no meaning,
 * since workers are there within a second without it.
 */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, registerActor } from '../support/api-requests.ts';
import { type ApiService, startApiService } from '../support/api-service.ts';
import { type PlayedExecution, takeMessage } from '../support/api-worker.ts';
import { until } from '../support/until.ts';

let api: ApiService;

beforeAll(async () => {
  api = await startApiService({ settings: { ABACO_LIMITS_SYNC_WAIT: '5s' } });
});

afterAll(async () => {
  await api[Symbol.asyncDispose]();
});

async function takeSoon(actorId: string): Promise<PlayedExecution> {
  return await until(() => takeMessage(api, actorId).catch(() => undefined), { what: 'a message to take' });
}

function run(id: string, value: string): ReturnType<typeof ask> {
  return ask(api.app, `POST /actors/${id}/messages?_abaco_synchronous=${value}`, { json: { message: 'm' } });
}

describe('§7.7 synchronous execution', () => {
  it.each(['true', 'True', 'TRUE'])('is asked for by %s, in any letter case', async (value) => {
    const id = await registerActor(api);
    const answer = run(id, value);
    const played = await takeSoon(id);
    await played.start();
    await played.results(Buffer.from([0, 255]));
    const { status, bytes, headers } = await answer;
    expect([status, [...bytes], headers['content-type']]).toEqual([200, [0, 255], 'application/octet-stream']);
    await played.end();
  });

  it.each(['False', '', '1'])('is not asked for by %j', async (value) => {
    const { status, result } = await run(await registerActor(api), value);
    expect([status, typeof result.execution_id]).toEqual([200, 'string']);
  });

  it('answers the log without an envelope where there was no result, whatever the exit code', async () => {
    const id = await registerActor(api);
    const answer = run(id, 'true');
    const played = await takeSoon(id);
    await played.start();
    await played.end({ log: 'said\n', exitCode: 3 });
    const { status, text, headers } = await answer;
    expect([status, text, headers['content-type']]).toEqual([200, 'said\n', 'text/html; charset=utf-8']);
  });

  it('ends with the execution in ERROR, where the original waits for ever', async () => {
    const id = await registerActor(api);
    const answer = run(id, 'true');
    await (await takeSoon(id)).end({ end: 'launch-failed', log: 'no such image' });
    expect(await answer).toMatchObject({ status: 200, text: 'no such image' });
  });

  it('refuses what is no message at once', async () => {
    const id = await registerActor(api);
    const { status } = await ask(api.app, `POST /actors/${id}/messages?_abaco_synchronous=true`);
    expect(status).toBe(400);
  });
});
