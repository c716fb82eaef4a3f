/**
 * Contract §7.9. Proved elsewhere: that standard output and error are one log (the launcher contract), that a log can be read
 * while its program runs (`integration/api/logs.test.ts`), that an expired one is empty (the history contract).
 *
 * Not tested: how often the original refreshes a running log; here it is written as it comes.
 * Whose profile `owner` is it does not say: that of the owner of the actor, as everywhere but in §7.8.
 */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { as, type Client, sendAsJane, startClient } from '../support/abaco-client.ts';
import { ask, askUntilComplete, registerActor, sendMessage } from '../support/api-requests.ts';
import { type ApiService, startApiService } from '../support/api-service.ts';
import { takeMessage } from '../support/api-worker.ts';

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

describe('§7.9 logs', () => {
  it('are a text, with links', async () => {
    const id = await registerActor(api);
    const path = `/actors/${id}/executions/${await sendMessage(api, id)}`;
    const played = await takeMessage(api, id);
    await played.start();
    await played.end({ log: 'one\ntwo\n' });
    const { status, message, result } = await ask(api.app, `GET ${path}/logs`);
    expect([status, message, result.logs]).toEqual([200, 'Logs retrieved successfully.', 'one\ntwo\n']);
    expect(Object.keys(result as object).toSorted()).toEqual(['_links', 'logs']);
  });

  it('link to themselves, the owner of the actor, and the execution, read or found', async () => {
    const { actor, sent } = await sendAsJane(client);
    const played = await takeMessage(client.api, actor, 'PHYSICS');
    await played.start();
    await played.end({ log: 'said\n' });
    const path = `/actors/${actor}/executions/${sent.result.execution_id}`;
    const { result } = await client.send(`GET ${path}/logs`, as('olga'));
    const base = /^(.+)\/actors\/v2\//.exec(result._links.self as string)?.[1];
    const execution = `${base}${path.replace('/actors/', '/actors/v2/')}`;
    const expected = { self: `${execution}/logs`, owner: `${base}/profiles/v2/olga`, execution };
    expect(result).toEqual({ logs: 'said\n', _links: expected });
    for (const search of [`GET ${path}/logs?limit=1`, 'GET /actors/search/logs?exactsearch=said']) {
      const found = await askUntilComplete(client.api.app, search, { headers: as('olga') });
      expect(found.result.search, search).toEqual([{ logs: 'said\n', _links: expected }]);
    }
  });

  it('are empty while there are none yet', async () => {
    const id = await registerActor(api);
    const { result } = await ask(api.app, `GET /actors/${id}/executions/${await sendMessage(api, id)}/logs`);
    expect(result.logs).toBe('');
  });

  it('become a search of the logs of this execution with query parameters', async () => {
    const id = await registerActor(api);
    const path = `/actors/${id}/executions/${await sendMessage(api, id)}`;
    const { message, result } = await ask(api.app, `GET ${path}/logs?limit=1`);
    expect(message).toBe('Log search completed successfully.');
    expect(result).toHaveProperty('_metadata');
  });
});
