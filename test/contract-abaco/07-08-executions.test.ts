/**
 * Contract §7.8. Proved elsewhere: the states on the way and the totals (`integration/api/executions.test.ts`), the search
 * that query parameters make of the listing (`07-13-search.test.ts`).
 *
 * Not tested: what the original means by `cpu` and `io`, sums of cumulative counters which the contract calls inflated; here
 * they are processor time and bytes. POST of an execution is dead code of the original and not offered.
 */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, registerActor, sendMessage } from '../support/api-requests.ts';
import { type ApiService, startApiService } from '../support/api-service.ts';
import { takeMessage } from '../support/api-worker.ts';

let api: ApiService;

beforeAll(async () => {
  api = await startApiService();
});

afterAll(async () => {
  await api[Symbol.asyncDispose]();
});

const isTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

async function ended(id: string) {
  const execution = await sendMessage(api, id);
  const played = await takeMessage(api, id);
  await played.start();
  await played.end();
  return execution;
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
    for (const name of ['id', 'actor_id', 'api_server', 'executor', 'status', 'worker_id', 'final_state', '_links']) {
      expect(result[name], name).toBeDefined();
    }
    expect(result).toMatchObject({ exit_code: 0, runtime: expect.any(Number), final_state: { ExitCode: 0 } });
    expect(Object.keys(result._links as object).toSorted()).toEqual(['logs', 'owner', 'self']);
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
