import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { WorkerRecord } from '../../../src/workers/worker-store.ts';
import { ask, registerActor } from '../../support/api-requests.ts';
import { type ApiService, startApiService } from '../../support/api-service.ts';

let api: ApiService;

beforeAll(async () => {
  api = await startApiService();
});

afterAll(async () => {
  await api[Symbol.asyncDispose]();
});

async function saveWorker(actorId: string, record: Partial<WorkerRecord> = {}): Promise<string> {
  const id = api.services.ids.next();
  await api.services.workers.save({
    tenant: 'DEV',
    actorId,
    id,
    status: 'ready',
    image: 'debian',
    hostId: 'host-1',
    location: 'local',
    createTime: new Date(),
    lastHealthCheckTime: new Date(),
    ...record,
  });
  return id;
}

describe('GET /actors/{id}/workers', () => {
  it('lists workers with the fields of the contract', async () => {
    const actorId = await registerActor(api);
    const id = await saveWorker(actorId);
    await saveWorker(actorId, { status: 'busy', lastExecutionTime: new Date(0) });
    const { message, result } = await ask(api.app, `GET /actors/${actorId}/workers`);
    expect(message).toBe('Workers retrieved successfully.');
    expect(result).toHaveLength(2);
    const ready = result.find((worker: { id: string }) => worker.id === id);
    expect(Object.keys(ready).join(' ')).toBe(
      'ch_name cid create_time host_id host_ip id image last_execution_time last_health_check_time location status tenant',
    );
    expect(ready).toMatchObject({
      ch_name: `worker_${id}`,
      status: 'READY',
      last_execution_time: 'None',
      tenant: 'DEV',
    });
    const busy = result.find((worker: { id: string }) => worker.id !== id);
    expect(busy).toMatchObject({ status: 'BUSY', last_execution_time: '1970-01-01T00:00:00.000Z' });
  });

  it('answers one worker, and 404 for one that is not there', async () => {
    const actorId = await registerActor(api);
    const id = await saveWorker(actorId);
    const found = await ask(api.app, `GET /actors/${actorId}/workers/${id}`);
    expect(found).toMatchObject({ message: 'Worker retrieved successfully.', result: { id } });
    for (const unknown of [api.services.ids.next(), 'no', '%23wanted']) {
      const answer = await ask(api.app, `GET /actors/${actorId}/workers/${unknown}`);
      expect(answer).toMatchObject({ status: 404, message: 'Worker not found.' });
    }
  });
});

describe('POST /actors/{id}/workers', () => {
  it('asks for so many, also as the form that abaco-cli sends', async () => {
    const actorId = await registerActor(api);
    const { message, result } = await ask(api.app, `POST /actors/${actorId}/workers`, { form: 'num=2' });
    expect(message).toBe('Scheduled 2 new worker(s) to start. Previously, there were 0 workers.');
    expect(result).toBeNull();
    expect(await api.services.workers.wanted({ tenant: 'DEV', actorId })).toBe(2);
  });

  it('counts 0 and nothing as 1, and says when there are enough', async () => {
    const actorId = await registerActor(api);
    await saveWorker(actorId);
    for (const question of [{}, { json: { num: 0 } }, { json: { num: '1' } }]) {
      const { message } = await ask(api.app, `POST /actors/${actorId}/workers`, question);
      expect(message).toBe(`Actor ${actorId} already had 1 worker(s).`);
    }
  });

  it('counts those it was asked for and that no host had room for yet', async () => {
    const actorId = await registerActor(api);
    const id = await saveWorker(actorId);
    const post = async (num: number) =>
      (await ask(api.app, `POST /actors/${actorId}/workers`, { json: { num } })).message;
    expect(await post(3)).toBe('Scheduled 2 new worker(s) to start. Previously, there were 1 workers.');
    expect(await post(3)).toBe(`Actor ${actorId} already had 3 worker(s).`);
    expect(await post(4)).toBe('Scheduled 1 new worker(s) to start. Previously, there were 3 workers.');
    await ask(api.app, `DELETE /actors/${actorId}/workers/${id}`);
    expect(await post(4)).toBe('Scheduled 1 new worker(s) to start. Previously, there were 3 workers.');
  });

  it('leaves what was asked for before when it is asked for fewer, and keeps those that only came with messages', async () => {
    const actorId = await registerActor(api);
    const ref = { tenant: 'DEV', actorId };
    for (let count = 0; count < 2; count += 1) await saveWorker(actorId);
    const post = async (num: number) =>
      (await ask(api.app, `POST /actors/${actorId}/workers`, { json: { num } })).message;
    expect(await post(2)).toBe(`Actor ${actorId} already had 2 worker(s).`);
    expect(await api.services.workers.wanted(ref)).toBe(2);
    expect(await post(1)).toBe(`Actor ${actorId} already had 2 worker(s).`);
    expect(await api.services.workers.wanted(ref)).toBe(2);
  });

  it.each([-1, 'many', 1e9])('refuses %j', async (num) => {
    const { status, message } = await ask(api.app, `POST /actors/${await registerActor(api)}/workers`, {
      json: { num },
    });
    expect(status).toBe(400);
    expect(message).toContain('num');
  });

  it('gives a stateful actor one at most', async () => {
    const actorId = await registerActor(api, { stateless: false });
    const { status, message } = await ask(api.app, `POST /actors/${actorId}/workers`, { json: { num: 2 } });
    expect(status).toBe(200);
    expect(message).toBe('Scheduled 1 new worker(s) to start. Previously, there were 0 workers.');
  });
});

describe('DELETE /actors/{id}/workers/{worker}', () => {
  it('asks the worker to stop, and 404 for one that is not there', async () => {
    const actorId = await registerActor(api);
    const id = await saveWorker(actorId);
    const stop = await ask(api.app, `DELETE /actors/${actorId}/workers/${id}`);
    expect(stop).toMatchObject({ status: 200, message: 'Worker scheduled to be stopped.', result: null });
    const stopping = await ask(api.app, `GET /actors/${actorId}/workers/${id}`);
    expect(stopping.result.status).toBe('SHUTDOWN_REQUESTED');
    const unknown = await ask(api.app, `DELETE /actors/${actorId}/workers/${api.services.ids.next()}`);
    expect(unknown).toMatchObject({ status: 404, message: 'Worker not found.' });
  });

  it('leaves as many as were asked for, less each that is stopped, if no more are there', async () => {
    const actorId = await registerActor(api);
    const ref = { tenant: 'DEV', actorId };
    const ids = [await saveWorker(actorId), await saveWorker(actorId), await saveWorker(actorId)];
    await api.services.workers.want(ref, 2);
    const left = [];
    for (const id of [...ids, ids[0]]) {
      await ask(api.app, `DELETE /actors/${actorId}/workers/${id}`);
      left.push(await api.services.workers.wanted(ref));
    }
    expect(left).toEqual([2, 1, 0, 0]);
  });
});
