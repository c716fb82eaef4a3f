import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stateOfEnd } from '../../../src/executions/execution.ts';
import { ask, registerActor, sendMessage } from '../../support/api-requests.ts';
import { type ApiService, startApiService } from '../../support/api-service.ts';
import { playedWorkerId, takeMessage } from '../../support/api-worker.ts';

let api: ApiService;

beforeAll(async () => {
  api = await startApiService();
});

afterAll(async () => {
  await api[Symbol.asyncDispose]();
});

const usage = { cpuMs: 12, maxMemoryBytes: 4096, ioBytes: 100, runtimeMs: 1_999 };

describe('GET /actors/{id}/executions/{execution}', () => {
  it('tells how far it is, from SUBMITTED over RUNNING to COMPLETE', async () => {
    const id = await registerActor(api);
    const execution = await sendMessage(api, id);
    const read = async () => (await ask(api.app, `GET /actors/${id}/executions/${execution}`)).result;
    expect(await read()).toMatchObject({ status: 'SUBMITTED', worker_id: null, start_time: null, exit_code: null });
    const played = await takeMessage(api, id);
    await played.start();
    expect(await read()).toMatchObject({ status: 'RUNNING', worker_id: playedWorkerId, attempt: 1, node: 'node-1' });
    const accounting = { jobId: '7_1', elapsedMs: 3_000, cpuMs: 12, nodes: 'c1', maxMemoryBytes: 8_192 };
    await played.end({ exitCode: 3, usage });
    expect(await read()).toMatchObject({ status: 'COMPLETE', end: 'exited', exit_code: 3, node: 'node-1' });
    expect(await api.services.outbox.catchUp({ tenant: 'DEV' }, 60_000)).toBe(true);
    const booked = { tenant: 'DEV', actorId: id, executionId: execution, accounting };
    expect(await api.services.history.account([booked])).toEqual([true]);
    expect(await read()).toMatchObject({
      id: execution,
      actor_id: id,
      executor: 'anonymous',
      status: 'COMPLETE',
      end: 'exited',
      exit_code: 3,
      runtime: 1,
      io: 100,
      cpu: 12_000_000,
      node: 'c1',
      accounting: { job_id: '7_1', elapsed_ms: 3_000, cpu_ms: 12, nodes: 'c1', max_memory_bytes: 8_192 },
      final_state: { ExitCode: 3, OOMKilled: false, Status: 'exited', Running: false },
      revision: 1,
    });
  });

  it('links to itself, its log and the profile of who sent it', async () => {
    const id = await registerActor(api);
    const execution = await sendMessage(api, id);
    const { message, result } = await ask(api.app, `GET /actors/${id}/executions/${execution}`);
    expect(message).toBe('Actor execution retrieved successfully.');
    expect(result._links.self).toMatch(new RegExp(`/actors/v2/${id}/executions/${execution}$`));
    expect(result._links.logs).toMatch(new RegExp(`/executions/${execution}/logs$`));
    expect(result.message_received_time).toMatch(/^\d{4}-\d\d-\d\dT[\d:]+\.\d{3}Z$/);
  });

  it.each([
    ['out-of-memory', 'COMPLETE', 137],
    ['time-limit', 'COMPLETE', 143],
    ['cancelled', 'COMPLETE', 143],
  ] as const)('says %s as the cause of an end that stays %s', async (end, status, exitCode) => {
    const id = await registerActor(api);
    const execution = await sendMessage(api, id);
    const played = await takeMessage(api, id);
    await played.start();
    await played.end({ end, exitCode, detail: 'Why it was' });
    const { result } = await ask(api.app, `GET /actors/${id}/executions/${execution}`);
    expect(result).toMatchObject({ status, end, exit_code: exitCode, end_detail: 'Why it was' });
  });

  it.each(['lost', 'launch-failed'] as const)('is ERROR for %s alone', async (end) => {
    const id = await registerActor(api);
    const execution = await sendMessage(api, id);
    await api.services.mailbox.settle((await takeMessage(api, id)).claimed.lease, {
      state: stateOfEnd({ end }, 'complete'),
      end,
      finishedAt: new Date(),
      log: { body: { inline: new Uint8Array() }, truncated: false },
    });
    const { result } = await ask(api.app, `GET /actors/${id}/executions/${execution}`);
    expect(result).toMatchObject({
      status: 'ERROR',
      end,
      exit_code: 'undetermined',
      final_state: { unavailable: true },
    });
  });

  it('answers 400 and the sentence of the contract for one that is not there', async () => {
    const id = await registerActor(api);
    const other = api.services.ids.next();
    const { status, message } = await ask(api.app, `GET /actors/${id}/executions/${other}`);
    expect(status).toBe(400);
    expect(message).toBe(`No executions found with actor id of ${id} and execution id of ${other}.`);
  });

  it('does not find the execution of another actor', async () => {
    const execution = await sendMessage(api, await registerActor(api));
    expect((await ask(api.app, `GET /actors/${await registerActor(api)}/executions/${execution}`)).status).toBe(400);
  });
});

describe('GET /actors/{id}/executions', () => {
  it('lists all, the oldest first, with totals', async () => {
    const id = await registerActor(api);
    const ended = await sendMessage(api, id);
    const played = await takeMessage(api, id);
    await played.start();
    await played.end({ usage });
    const waiting = await sendMessage(api, id);
    const { message, result } = await ask(api.app, `GET /actors/${id}/executions`);
    expect(message).toBe('Actor executions retrieved successfully.');
    expect(result).toMatchObject({
      actor_id: id,
      owner: 'anonymous',
      total_executions: 2,
      total_cpu: 12_000_000,
      total_io: 100,
      total_runtime: 1,
    });
    expect(result.executions.map((execution: { id: string }) => execution.id)).toEqual([ended, waiting]);
    expect(result.executions[0]).toMatchObject({ status: 'COMPLETE', exit_code: 0 });
    expect(result.executions[1]).toMatchObject({ status: 'SUBMITTED', start_time: null, finish_time: null });
  });

  it('lists what only the history knows and what is in both once', async () => {
    const id = await registerActor(api);
    const actor = { tenant: 'DEV', actorId: id };
    const old = await sendMessage(api, id);
    await (await takeMessage(api, id)).end({ log: 'old' });
    const owed = await api.services.executions.ended(actor, old);
    await api.services.history.write({ executions: [owed?.ended ?? expect.fail('nothing owed')], registry: [] });
    const both = await ask(api.app, `GET /actors/${id}/executions`);
    expect(both.result.total_executions).toBe(1);
    for (const entry of await api.services.mailbox.owed(actor, 10)) await api.services.mailbox.drained(actor, entry);
    const drained = await ask(api.app, `GET /actors/${id}/executions`);
    expect(drained.result.executions).toEqual(both.result.executions);
    expect((await ask(api.app, `GET /actors/${id}/executions/${old}/logs`)).result.logs).toBe('old');
  });
});

describe('DELETE /actors/{id}/executions/{execution}', () => {
  it('asks a running execution to end and answers at once', async () => {
    const id = await registerActor(api);
    const execution = await sendMessage(api, id);
    const played = await takeMessage(api, id);
    await played.start();
    const { status, message, result } = await ask(api.app, `DELETE /actors/${id}/executions/${execution}`);
    expect(status).toBe(200);
    expect(message).toBe(`Issued force quit command for execution ${execution}.`);
    expect(result).toBeNull();
    expect(await api.services.mailbox.extend(played.claimed.lease)).toBe('cancel');
  });

  it('is refused before the start and after the end, with the status it was found in', async () => {
    const id = await registerActor(api);
    const execution = await sendMessage(api, id);
    const cancel = () => ask(api.app, `DELETE /actors/${id}/executions/${execution}`);
    const refused = 'Cannot force quit an execution not in RUNNING status. Execution was found in status: ';
    expect(await cancel()).toMatchObject({ status: 400, message: `${refused}SUBMITTED` });
    await (await takeMessage(api, id)).end();
    expect(await cancel()).toMatchObject({ status: 400, message: `${refused}COMPLETE` });
  });
});
