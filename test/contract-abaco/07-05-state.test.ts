/**
 * Contract §7.5. Proved elsewhere: the values that are refused and those that are taken (`integration/api/state.test.ts`);
 * that the state reaches the container at its start (`unit/executions/environment.test.ts`).
 */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, registerActor } from '../support/api-requests.ts';
import { type ApiService, startApiService } from '../support/api-service.ts';

let api: ApiService;

beforeAll(async () => {
  api = await startApiService();
});

afterAll(async () => {
  await api[Symbol.asyncDispose]();
});

describe('§7.5 state', () => {
  it('is answered as {"state": …} and nothing else, also {} of a stateless actor', async () => {
    for (const stateless of [true, false]) {
      const id = await registerActor(api, { stateless });
      const { status, message, result } = await ask(api.app, `GET /actors/${id}/state`);
      expect([status, message]).toEqual([200, 'Actor state retrieved successfully.']);
      expect(result).toStrictEqual({ state: {} });
    }
  });

  it('is set by POST, which answers the full actor', async () => {
    const id = await registerActor(api, { stateless: false });
    const set = await ask(api.app, `POST /actors/${id}/state`, { json: { n: [1] } });
    expect([set.status, set.message]).toEqual([200, 'State updated successfully.']);
    const actor = await ask(api.app, `GET /actors/${id}`);
    expect(set.result).toEqual(actor.result);
    expect(set.result).toMatchObject({ id, state: { n: [1] } });
  });

  it('keeps the digits of its numbers, in the container also the order of its keys', async () => {
    const id = await registerActor(api, { stateless: false });
    const body = '{"job": 9223372036854775807, "10": 1.0, "9": [1e400, -0.0]}';
    await ask(api.app, `POST /actors/${id}/state`, { body, headers: { 'content-type': 'application/json' } });
    const sorted = '{"10":1.0,"9":[1e400,-0.0],"job":9223372036854775807}';
    for (const path of [`/actors/${id}/state`, `/actors/${id}`, '/actors']) {
      expect((await ask(api.app, `GET ${path}`)).text).toContain(`"state":${sorted}`);
    }
    expect(await api.services.actors.stateJson({ tenant: 'DEV', actorId: id })).toBe(body);
  });

  it('is that of the last write, whatever was read before', async () => {
    const id = await registerActor(api, { stateless: false });
    for (const n of [1, 2]) await ask(api.app, `POST /actors/${id}/state`, { json: { n } });
    expect((await ask(api.app, `GET /actors/${id}/state`)).result).toEqual({ state: { n: 2 } });
  });

  it('of a stateless actor cannot be set: 404', async () => {
    const { status, message } = await ask(api.app, `POST /actors/${await registerActor(api)}/state`, {
      json: { n: 1 },
    });
    expect([status, message]).toEqual([404, 'actor is stateless.']);
  });

  it('has to be sent as JSON', async () => {
    const id = await registerActor(api, { stateless: false });
    const { status } = await ask(api.app, `POST /actors/${id}/state`, { form: 'n=1' });
    expect(status).toBe(400);
  });
});
