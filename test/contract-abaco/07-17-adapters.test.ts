/**
 * Of adapters (§7.17) the released versions have the reserved word alone; that is what stands here.
 *
 * Not here: the routes of the branch that was never released, which no client uses and this server does not offer.
 */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { as, type Client, startClient } from '../support/abaco-client.ts';

let client: Client;

beforeAll(async () => {
  client = await startClient();
});

afterAll(async () => {
  await client[Symbol.asyncDispose]();
});

describe('§7.17 the word "adapters"', () => {
  it('is no alias and no config', async () => {
    const actor = await client.register();
    const alias = { alias: 'adapters', actor_id: actor };
    expect((await client.send('POST /actors/aliases', as('olga'), { json: alias })).status).toBe(400);
    const config = { name: 'adapters', value: 'v', is_secret: false, actors: actor };
    expect((await client.send('POST /actors/configs', as('olga'), { json: config })).status).toBe(400);
  });
});
