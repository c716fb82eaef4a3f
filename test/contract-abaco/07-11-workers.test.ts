/**
 * Contract §7.11, where integration/api/workers.test.ts does not prove it already (there: fields, num, words).
 *
 * That as many as were asked for run above max_workers: integration/workers/supervisor.test.ts.
 *
 * Not here: `cid` and `host_ip`, which are of the container a worker is in the original, and null here.
 */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { as, type Client, saveReadyWorker, startClient } from '../support/abaco-client.ts';

const olga = as('olga');
const root = as('root', 'admin');
let client: Client;
let workerId: string;

beforeAll(async () => {
  client = await startClient();
  workerId = client.api.services.ids.next();
});

afterAll(async () => {
  await client[Symbol.asyncDispose]();
});

async function withWorker(settings: object = {}): Promise<string> {
  const actor = await client.register('olga', settings);
  await saveReadyWorker(client, actor, workerId);
  return actor;
}

describe('§7.11 GET /actors/{id}/workers', () => {
  it('has exactly the fields of the contract', async () => {
    const { message, result } = await client.send(`GET /actors/${await withWorker()}/workers`, olga);
    expect(message).toBe('Workers retrieved successfully.');
    expect(
      Object.keys(result[0] as object)
        .toSorted()
        .join(' '),
    ).toBe(
      'ch_name cid create_time host_id host_ip id image last_execution_time last_health_check_time location status tenant',
    );
    expect(result[0]).toMatchObject({ ch_name: `worker_${workerId}`, status: 'READY', tenant: 'PHYSICS' });
  });

  it('needs READ', async () => {
    const actor = await withWorker();
    expect((await client.send(`GET /actors/${actor}/workers`, as('jane'))).status).toBe(400);
    const json = { user: 'jane', level: 'READ' };
    await client.send(`POST /actors/${actor}/permissions`, olga, { json });
    for (const path of ['workers', `workers/${workerId}`]) {
      expect((await client.send(`GET /actors/${actor}/${path}`, as('jane'))).status).toBe(200);
    }
  });

  it('is a search with a query parameter', async () => {
    const answer = await client.send(`GET /actors/${await withWorker()}/workers?status=READY`, olga);
    expect(answer.message).toBe('Workers search completed successfully.');
    expect(answer.result.search).toHaveLength(1);
  });
});

describe('§7.11 POST /actors/{id}/workers', () => {
  it('is for administrators alone, whatever they may do to the actor', async () => {
    const answer = await client.send(`POST /actors/${await client.register()}/workers`, olga, { json: { num: 2 } });
    expect(answer.status).toBe(400);
    expect(answer.message).toBe('Not authorized -- only admins are authorized to update workers.');
  });

  it('adds what is missing of num, above max_workers too', async () => {
    const actor = await withWorker({ max_workers: 1 });
    const answer = await client.send(`POST /actors/${actor}/workers`, root, { json: { num: 3 } });
    expect(answer).toMatchObject({
      status: 200,
      result: null,
      message: 'Scheduled 2 new worker(s) to start. Previously, there were 1 workers.',
    });
  });

  it('means up to num for a stateful actor too, which never has more than one', async () => {
    const fresh = await client.register('olga', { stateless: false });
    const asked = await client.send(`POST /actors/${fresh}/workers`, root, { json: { num: 3 } });
    expect(asked).toMatchObject({
      status: 200,
      message: 'Scheduled 1 new worker(s) to start. Previously, there were 0 workers.',
    });
    expect(await client.api.services.workers.wanted({ tenant: 'PHYSICS', actorId: fresh })).toBe(1);
    const served = await withWorker({ stateless: false });
    const again = await client.send(`POST /actors/${served}/workers`, root, { json: { num: 3 } });
    expect(again).toMatchObject({ status: 200, message: `Actor ${served} already had 1 worker(s).` });
  });
});

describe('§7.11 DELETE /actors/{id}/workers/{worker}', () => {
  it('needs UPDATE, and answers null', async () => {
    const path = `DELETE /actors/${await withWorker()}/workers/${workerId}`;
    expect((await client.send(path, as('jane'))).status).toBe(400);
    expect(await client.send(path, olga)).toMatchObject({
      status: 200,
      message: 'Worker scheduled to be stopped.',
      result: null,
    });
  });
});
