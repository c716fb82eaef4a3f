/**
 * Contract §6: every time is `YYYY-MM-DDTHH:MM:SS.mmmZ`, and what stands where there is none.
 *
 * Not here: times of events (11-events.test.ts) and of schedules (12-cron.test.ts). The original's other spellings
 * (`…55.3Z00`, RFC 1123 in summaries) are mended, as §16 has it; that of releases before 1.6 is gone.
 */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { as, type Client, saveReadyWorker, startClient } from '../support/abaco-client.ts';
import { type PlayedExecution, takeMessage } from '../support/api-worker.ts';

const olga = as('olga');
const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string;

let client: Client;
let now = new Date();

beforeAll(async () => {
  client = await startClient();
  Object.assign(client.api.services, { clock: { now: () => now } });
});

afterAll(async () => {
  await client[Symbol.asyncDispose]();
});

async function sent(of = client): Promise<{ readonly actor: string; readonly played: PlayedExecution }> {
  const actor = await of.register();
  await of.send(`POST /actors/${actor}/messages?message=m`, olga);
  return { actor, played: await takeMessage(of.api, actor, 'PHYSICS') };
}

describe('§6 a time', () => {
  it.each([0, 300, 7_010, 59_999])('has milliseconds and Z, also %i ms into a minute', async (milliseconds) => {
    now = new Date(Math.floor(Date.now() / 60_000) * 60_000 + milliseconds);
    const { result } = await client.send('POST /actors', olga, { json: { image: 'debian' } });
    expect(result).toMatchObject({ create_time: time, last_update_time: now.toISOString() });
    const read = await client.send(`GET /actors/${result.id}`, olga);
    expect(read.result).toMatchObject({ create_time: now.toISOString() });
  });

  it('is spelled so in executions and in their summary', async () => {
    const { actor, played } = await sent();
    await played.start();
    await played.end();
    const { result } = await client.send(`GET /actors/${actor}/executions/${played.id}`, olga);
    expect(result).toMatchObject({ message_received_time: time, start_time: time, finish_time: time });
    const summary = await client.send(`GET /actors/${actor}/executions`, olga);
    expect(summary.result.executions[0]).toMatchObject({
      message_received_time: time,
      start_time: time,
      finish_time: time,
    });
  });

  it('is spelled so for administrators and in what a search finds', async () => {
    const actor = await client.register();
    const { result } = await client.send('GET /actors/admin', as('root', 'admin'));
    expect((result as { id: string }[]).find(({ id }) => id === actor)).toMatchObject({ create_time: time });
    const found = await client.send(`GET /actors/search/actors?id=${actor}`, olga);
    expect(found.result.search[0]).toMatchObject({ create_time: time, last_update_time: time });
  });
});

/** @returns the times of what was never used, wherever workers and nonces are shown. */
async function showUnused(of: Client): Promise<readonly unknown[]> {
  const actor = await of.register();
  const workerId = of.api.services.ids.next();
  await saveReadyWorker(of, actor, workerId);
  const ask = async (line: string) => (await of.send(line, as('olga', 'admin'))).result;
  const made = await ask(`POST /actors/${actor}/nonces`);
  const ofAdmin = await ask('GET /actors/admin');
  const workers = [
    await ask(`GET /actors/${actor}/workers/${workerId}`),
    ...(await ask(`GET /actors/${actor}/workers`)),
    ...(await ask(`GET /actors/${actor}/workers?limit=1`)).search,
    ...(await ask('GET /actors/admin/workers')).workers,
    ...ofAdmin.flatMap((one: { readonly workers: readonly object[] }) => one.workers),
  ];
  const nonces = [
    made,
    await ask(`GET /actors/${actor}/nonces/${made.id}`),
    ...(await ask(`GET /actors/${actor}/nonces`)),
  ];
  expect([workers.length, nonces.length]).toEqual([5, 3]);
  for (const worker of workers) expect(worker).toMatchObject({ create_time: time, last_health_check_time: time });
  for (const nonce of nonces) expect(nonce).toMatchObject({ create_time: time });
  return [...workers.map((one) => one.last_execution_time), ...nonces.map((one) => one.last_use_time)];
}

describe('§6 a time that there is not', () => {
  it('is null for an execution, and left out in camel form', async () => {
    const { actor, played } = await sent();
    const { result } = await client.send(`GET /actors/${actor}/executions/${played.id}`, olga);
    expect(result).toMatchObject({ start_time: null, finish_time: null });
    await using camel = await startClient('case = "camel"\n');
    const other = await sent(camel);
    const answer = await camel.send(`GET /actors/${other.actor}/executions/${other.played.id}`, olga);
    expect(answer.result).not.toHaveProperty('startTime');
    expect(answer.result).not.toHaveProperty('finishTime');
  });

  it('is the text "None" for a worker and for a nonce', async () => {
    for (const shown of await showUnused(client)) expect(shown).toBe('None');
  });

  it('is null for them too where compat.absent_times = "null", and left out in camel form', async () => {
    const settings = { ABACO_COMPAT_ABSENT_TIMES: 'null' };
    await using strict = await startClient('', { settings });
    for (const shown of await showUnused(strict)) expect(shown).toBeNull();
    await using camel = await startClient('case = "camel"\n', { settings });
    const nonce = await camel.send(`POST /actors/${await camel.register()}/nonces`, olga);
    expect(nonce.result).toMatchObject({ createTime: time });
    expect(nonce.result).not.toHaveProperty('lastUseTime');
  });
});
