import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, registerActor } from '../../support/api-requests.ts';
import { type ApiService, startApiService } from '../../support/api-service.ts';
import { takeMessage } from '../../support/api-worker.ts';

let api: ApiService;

beforeAll(async () => {
  api = await startApiService({ settings: { ABACO_SERVICE_CASE: 'camel', ABACO_SERVICE_TAG: '1.9.1' } });
});

afterAll(async () => {
  await api[Symbol.asyncDispose]();
});

describe('a server that answers in camel form', () => {
  it('spells attributes so, leaves out those that are null, and takes both spellings', async () => {
    const id = await registerActor(api, { default_environment: { SOME_key: null }, logEx: 60 });
    const { result, text } = await ask(api.app, `GET /actors/${id}`);
    expect(result).toMatchObject({
      defaultEnvironment: { SOME_key: null },
      logEx: 60,
      statusMessage: ' ',
      cronOn: false,
    });
    expect(result._links.self).toContain(id);
    for (const absent of ['name', 'memLimit', 'maxCpus', 'cronSchedule', 'uid', 'log_ex']) {
      expect(result).not.toHaveProperty(absent);
    }
    expect(JSON.parse(text)).toMatchObject({ version: '1.9.1', status: 'success' });
  });

  it('names wrong fields so', async () => {
    const { message } = await ask(api.app, 'POST /actors', { json: { image: 'debian', max_workers: 'x' } });
    expect(message).toContain("'maxWorkers'");
  });

  it('spells messages, executions and their listing so; what is inside the final state stays', async () => {
    const id = await registerActor(api);
    const sent = await ask(api.app, `POST /actors/${id}/messages`, { json: { message: 'm' } });
    const { executionId } = sent.result;
    const path = `GET /actors/${id}/executions`;
    const waiting = (await ask(api.app, `${path}/${executionId}`)).result;
    expect(waiting).not.toHaveProperty('startTime');
    expect(waiting).not.toHaveProperty('workerId');
    const played = await takeMessage(api, id);
    await played.start();
    await played.end();
    expect((await ask(api.app, `${path}/${executionId}`)).result).toMatchObject({
      actorId: id,
      exitCode: 0,
      finalState: { ExitCode: 0, OOMKilled: false },
      messageReceivedTime: expect.any(String) as string,
    });
    expect((await ask(api.app, path)).result).toMatchObject({
      actorId: id,
      totalExecutions: 1,
      executions: [{ id: executionId, finishTime: expect.any(String) as string }],
    });
  });

  it('spells workers so', async () => {
    const id = await registerActor(api);
    const now = new Date();
    const worker = {
      tenant: 'DEV',
      actorId: id,
      id: api.services.ids.next(),
      status: 'ready',
      image: 'debian',
    } as const;
    const place = { hostId: 'h', location: 'local', createTime: now, lastHealthCheckTime: now };
    await api.services.workers.save({ ...worker, ...place });
    const { result } = await ask(api.app, `GET /actors/${id}/workers`);
    expect(result[0]).toMatchObject({ chName: `worker_${worker.id}`, hostId: 'h', lastExecutionTime: 'None' });
    expect(result[0]).not.toHaveProperty('cid');
  });
});
