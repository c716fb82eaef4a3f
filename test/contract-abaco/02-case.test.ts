/**
 * Contract §2, where 01-transport.test.ts does not prove it already: what is spelled and what never is.
 *
 * Not here: final_state as it comes from the engine (integration/api/camel-case.test.ts), maps of permissions
 * (07-12-permissions.test.ts), `x-nonce` (05-6-nonces.test.ts). v3 is another protocol.
 */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { as, type Client, startClient } from '../support/abaco-client.ts';

const olga = as('olga');
const mounts = '[mounts.data]\ncontainer = "/data"\npath = "/tmp"\n';

let camel: Client;
let snake: Client;

beforeAll(async () => {
  camel = await startClient(`case = "camel"\n${mounts}`);
  snake = await startClient(mounts);
});

afterAll(async () => {
  await camel[Symbol.asyncDispose]();
  await snake[Symbol.asyncDispose]();
});

describe('§2 the letter case of the tenant', () => {
  it('spells top-level names alone: mounts, states and environments keep their inner ones', async () => {
    const settings = { stateless: false, default_environment: { inner_name: '1' } };
    const actor = await camel.register('olga', settings);
    await camel.send(`POST /actors/${actor}/state`, olga, { json: { inner_name: { deep_name: 1 } } });
    const { result } = await camel.send(`GET /actors/${actor}`, olga);
    expect(result).toMatchObject({
      mounts: [{ host_path: '/tmp', container_path: '/data', mode: 'ro' }],
      defaultEnvironment: { inner_name: '1' },
      state: { inner_name: { deep_name: 1 } },
    });
  });

  it('has the same attributes as the other, but for those that are null', async () => {
    const inSnake = (await snake.send(`GET /actors/${await snake.register()}`, olga)).result as Record<string, unknown>;
    const inCamel = (await camel.send(`GET /actors/${await camel.register()}`, olga)).result as Record<string, unknown>;
    const spelled = Object.entries(inSnake)
      .filter(([, value]) => value !== null)
      .map(([name]) => name.replaceAll(/(?<=.)_([a-z])/g, (_, letter: string) => letter.toUpperCase()));
    expect(Object.keys(inCamel).toSorted()).toEqual(spelled.toSorted());
  });

  it('takes names in either spelling, whichever it answers in', async () => {
    for (const client of [camel, snake]) {
      for (const json of [{ log_ex: 60 }, { logEx: 60 }]) {
        const actor = await client.register('olga', json);
        const { result } = await client.send(`GET /actors/${actor}`, olga);
        expect({ log_ex: 60, logEx: 60 }).toMatchObject(
          Object.fromEntries(Object.entries(result as object).filter(([name]) => /^log_?ex$/i.test(name))),
        );
      }
    }
  });

  it('never spells the envelope, also of an error', async () => {
    const { text } = await camel.send('GET /actors/nobody', olga);
    expect(Object.keys(JSON.parse(text) as object)).toEqual(['message', 'result', 'status', 'version']);
  });

  it('never spells the names of utilization, which are camel case everywhere', async () => {
    for (const client of [camel, snake]) {
      const { result } = await client.send('GET /actors/utilization', olga);
      expect(Object.keys(result as object).toSorted()).toEqual([
        'commandQueue',
        'currentActors',
        'totalActors',
        'workers',
      ]);
    }
  });

  it('never spells _metadata, but what is in it', async () => {
    const names = async (client: Client) =>
      Object.keys((await client.send('GET /actors?limit=1', olga)).result._metadata as object).toSorted();
    expect(await names(camel)).toEqual(['countReturned', 'recordLimit', 'recordsSkipped', 'totalCount']);
    expect(await names(snake)).toEqual(['count_returned', 'record_limit', 'records_skipped', 'total_count']);
  });
});
