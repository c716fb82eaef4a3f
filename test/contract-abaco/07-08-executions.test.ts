/**
 * Contract §7.8. Proved elsewhere: the states on the way and the totals (`integration/api/executions.test.ts`), the search
 * that query parameters make of the listing (`07-13-search.test.ts`).
 *
 * Not tested: what the original means by `cpu` and `io`, sums of cumulative counters which the contract calls inflated; here
 * they are processor time and bytes. POST of an execution is dead code of the original and not offered.
 *
 * Not as the original: "all executions, no paging" goes as far as `limits.listing` (10,000): of more the latest are listed,
 * while the totals count all and `X-Total-Count` says how many there are (`integration/api/listings.test.ts`). An actor may
 * have millions, and an answer without a bound would be as large. One execution is shown with `attempt`, `revision` and,
 * where there is something to say, `end`, `end_detail`, `launcher`, `node`, `usage`, `accounting` and `wait`, which are ours.
 */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { as, type Client, sendAsJane, startClient } from '../support/abaco-client.ts';
import { ask, registerActor, sendMessage } from '../support/api-requests.ts';
import { type ApiService, startApiService } from '../support/api-service.ts';
import { type PlayedExecution, playedWorkerId, takeMessage } from '../support/api-worker.ts';

let api: ApiService;
/** Of several users. */
let client: Client;

beforeAll(async () => {
  api = await startApiService();
  client = await startClient();
});

afterAll(async () => {
  await api[Symbol.asyncDispose]();
  await client[Symbol.asyncDispose]();
});

const isTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const isTimeText = expect.stringMatching(isTime) as string;

const attributes =
  '_links actor_id api_server cpu executor exit_code final_state finish_time id io message_received_time runtime ' +
  'start_time status worker_id';

/** Those that every one has once it has ended. */
const ours = 'attempt end launcher node revision usage';

async function ended(id: string, settlement: Parameters<PlayedExecution['end']>[0] = {}, of = api): Promise<string> {
  await sendMessage(of, id);
  const played = await takeMessage(of, id);
  await played.start();
  await played.end({ usage: { cpuMs: 5, maxMemoryBytes: 1, ioBytes: 7, runtimeMs: 2_500 }, ...settlement });
  return played.id;
}

describe('§7.8 the summary', () => {
  it('has the attributes of the contract, all executions in the order of arrival, and the totals', async () => {
    const id = await registerActor(api);
    const ids = [await ended(id), await ended(id)];
    const { message, result } = await ask(api.app, `GET /actors/${id}/executions`);
    expect(message).toBe('Actor executions retrieved successfully.');
    expect(Object.keys(result as object).toSorted()).toEqual([
      '_links',
      'actor_id',
      'api_server',
      'executions',
      'owner',
      'total_cpu',
      'total_executions',
      'total_io',
      'total_runtime',
    ]);
    expect(Object.keys(result._links as object).toSorted()).toEqual(['owner', 'self']);
    expect(result.executions.map((one: { id: string }) => one.id)).toEqual(ids);
    for (const one of result.executions) {
      expect(one.status).toBe('COMPLETE');
      for (const name of ['start_time', 'finish_time', 'message_received_time']) expect(one[name]).toMatch(isTime);
    }
    expect(result).toMatchObject({ actor_id: id, owner: 'anonymous', total_executions: 2 });
  });

  it('links to itself and to the owner of the actor, whoever has sent', async () => {
    const { actor } = await sendAsJane(client);
    const { result } = await client.send(`GET /actors/${actor}/executions`, as('olga'));
    const base = /^(.+)\/actors\/v2\//.exec(result._links.self as string)?.[1];
    expect(result._links).toEqual({
      self: `${base}/actors/v2/${actor}/executions`,
      owner: `${base}/profiles/v2/olga`,
    });
  });

  it('becomes a search with query parameters', async () => {
    const id = await registerActor(api);
    const { message } = await ask(api.app, `GET /actors/${id}/executions?limit=1`);
    expect(message).toBe('Executions search completed successfully.');
  });

  it('has element keys in camel form where the tenant has', async () => {
    await using camel = await startApiService({ settings: { ABACO_SERVICE_CASE: 'camel' } });
    const id = await registerActor(camel);
    await sendMessage(camel, id);
    const { result } = await ask(camel.app, `GET /actors/${id}/executions`);
    expect(result).toHaveProperty('totalExecutions', 1);
    expect(result.executions[0]).toHaveProperty('messageReceivedTime');
  });
});

describe('§7.8 one execution', () => {
  it('has the attributes of the contract', async () => {
    const id = await registerActor(api);
    const { message, result } = await ask(api.app, `GET /actors/${id}/executions/${await ended(id)}`);
    expect(message).toBe('Actor execution retrieved successfully.');
    expect(Object.keys(result as object).toSorted()).toEqual(`${attributes} ${ours}`.split(' ').toSorted());
    expect(result).toMatchObject({
      actor_id: id,
      executor: 'anonymous',
      status: 'COMPLETE',
      message_received_time: isTimeText,
      start_time: isTimeText,
      finish_time: isTimeText,
      cpu: 5_000_000,
      io: 7,
      runtime: 2,
      exit_code: 0,
    });
  });

  it('has the whole state of its container, under the names of Docker, also where others are in camel form', async () => {
    const ofDocker = (exitCode: number) => ({
      Dead: false,
      Error: '',
      ExitCode: exitCode,
      FinishedAt: isTimeText,
      OOMKilled: false,
      Paused: false,
      Pid: 0,
      Restarting: false,
      Running: false,
      StartedAt: isTimeText,
      Status: 'exited',
    });
    const id = await registerActor(api);
    const { result } = await ask(api.app, `GET /actors/${id}/executions/${await ended(id, { exitCode: 3 })}`);
    expect(result.final_state).toStrictEqual(ofDocker(3));
    expect([result.final_state.StartedAt, result.final_state.FinishedAt]).toEqual([
      result.start_time,
      result.finish_time,
    ]);
    await using camel = await startApiService({ settings: { ABACO_SERVICE_CASE: 'camel' } });
    const other = await registerActor(camel);
    const { result: spelled } = await ask(
      camel.app,
      `GET /actors/${other}/executions/${await ended(other, {}, camel)}`,
    );
    expect(spelled.finalState).toStrictEqual(ofDocker(0));
  });

  it('says that it was killed for its memory', async () => {
    const id = await registerActor(api);
    const execution = await ended(id, { end: 'out-of-memory', exitCode: 137 });
    const { result } = await ask(api.app, `GET /actors/${id}/executions/${execution}`);
    expect(result.final_state).toMatchObject({ ExitCode: 137, OOMKilled: true });
  });

  it('has no state of a container where there was none', async () => {
    const id = await registerActor(api);
    const execution = await sendMessage(api, id);
    const path = `/actors/${id}/executions/${execution}`;
    expect((await ask(api.app, `GET ${path}`)).result.final_state).toBeNull();
    await ask(api.app, `DELETE /actors/${id}/messages`);
    expect((await ask(api.app, `GET ${path}`)).result).toMatchObject({
      exit_code: 'undetermined',
      final_state: { unavailable: true },
    });
  });

  it('names the worker that has picked it up, also after the end', async () => {
    const id = await registerActor(api);
    const path = `/actors/${id}/executions/${await sendMessage(api, id)}`;
    const worker = async () => (await ask(api.app, `GET ${path}`)).result.worker_id;
    expect(await worker()).toBeNull();
    const played = await takeMessage(api, id);
    await played.start();
    expect(await worker()).toBe(playedWorkerId);
    await played.end();
    expect(await worker()).toBe(playedWorkerId);
  });

  it('links to itself, its log, and who has sent it', async () => {
    const { actor, sent } = await sendAsJane(client);
    const path = `/actors/${actor}/executions/${sent.result.execution_id}`;
    const { result } = await client.send(`GET ${path}`, as('olga'));
    const base = /^(.+)\/actors\/v2\//.exec(result._links.self as string)?.[1];
    expect(result._links).toEqual({
      self: `${base}${path.replace('/actors/', '/actors/v2/')}`,
      owner: `${base}/profiles/v2/jane`,
      logs: `${base}${path.replace('/actors/', '/actors/v2/')}/logs`,
    });
  });

  it('has no worker, no start, no end, and zeros before it is picked up', async () => {
    const id = await registerActor(api);
    const { result } = await ask(api.app, `GET /actors/${id}/executions/${await sendMessage(api, id)}`);
    expect(result).toMatchObject({ worker_id: null, start_time: null, finish_time: null, exit_code: null });
    expect(result).toMatchObject({ cpu: 0, io: 0, runtime: 0 });
    expect(result.message_received_time).toMatch(isTime);
  });

  it('that is unknown is 400, not 404', async () => {
    const id = await registerActor(api);
    expect((await ask(api.app, `GET /actors/${id}/executions/${api.services.ids.next()}`)).status).toBe(400);
  });
});

describe('§7.8 force-halt', () => {
  it('is answered at once while RUNNING, without a result', async () => {
    const id = await registerActor(api);
    const execution = await sendMessage(api, id);
    await (await takeMessage(api, id)).start();
    const { status, message, result } = await ask(api.app, `DELETE /actors/${id}/executions/${execution}`);
    expect([status, message, result]).toEqual([200, `Issued force quit command for execution ${execution}.`, null]);
  });

  it('is refused in any other status, which is named', async () => {
    const id = await registerActor(api);
    const execution = await sendMessage(api, id);
    const refused = (status: string) => [
      400,
      `Cannot force quit an execution not in RUNNING status. Execution was found in status: ${status}`,
    ];
    const halt = async () => {
      const { status, message } = await ask(api.app, `DELETE /actors/${id}/executions/${execution}`);
      return [status, message];
    };
    expect(await halt()).toEqual(refused('SUBMITTED'));
    const played = await takeMessage(api, id);
    await played.start();
    await played.end({ end: 'cancelled', exitCode: 137 });
    expect(await halt()).toEqual(refused('COMPLETE'));
    const { result } = await ask(api.app, `GET /actors/${id}/executions/${execution}`);
    expect(result).toMatchObject({ status: 'COMPLETE', exit_code: 137 });
  });
});
