/**
 * Contract §7.9. Proved elsewhere: that standard output and error are one log (the launcher contract), that a log can be read
 * while its program runs (`integration/api/logs.test.ts`), that an expired one is empty (the history contract).
 *
 * Not tested: how often the original refreshes a running log; here it is written as it comes.
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

describe('§7.9 logs', () => {
  it('are a text with links to themselves, who sent the message, and the execution', async () => {
    const id = await registerActor(api);
    const path = `/actors/${id}/executions/${await sendMessage(api, id)}`;
    const played = await takeMessage(api, id);
    await played.start();
    await played.end({ log: 'one\ntwo\n' });
    const { status, message, result } = await ask(api.app, `GET ${path}/logs`);
    expect([status, message, result.logs]).toEqual([200, 'Logs retrieved successfully.', 'one\ntwo\n']);
    expect(Object.keys(result as object).toSorted()).toEqual(['_links', 'logs']);
    expect(Object.keys(result._links as object).toSorted()).toEqual(['execution', 'owner', 'self']);
    expect(result._links.execution).toMatch(new RegExp(`${path.replace('/actors/', '/actors/v2/')}$`));
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
