/**
 * §5.6 and the nonces of §7.12.
 *
 * Not here: that none is good for `/actors`, for `/actors/search/…` and for admin routes, and what is said there, which
 * the access table asks of every route (05-4-access-table.test.ts).
 */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { as, type Client, startClient } from '../support/abaco-client.ts';
import { takeMessage } from '../support/api-worker.ts';

let client: Client;

beforeAll(async () => {
  client = await startClient();
});

afterAll(async () => {
  await client[Symbol.asyncDispose]();
});

async function makeNonce(path: string, json: object = {}, who = as('olga')): Promise<string> {
  const { result, text } = await client.send(`POST ${path}/nonces`, who, { json });
  expect(result, text).not.toBeNull();
  return result.id as string;
}

const post = (path: string, nonce: string) =>
  client.send(`POST ${path}/messages?x-nonce=${nonce}`, {}, { json: { message: 'm' } });

let made = 0;
async function makeAlias(actor: string): Promise<string> {
  const alias = `nonces-${(made += 1)}`;
  const { status, text } = await client.send('POST /actors/aliases', as('olga'), { json: { alias, actor_id: actor } });
  expect(status, text).toBe(200);
  return alias;
}

const keys =
  '_links actor_id api_server create_time current_uses description id last_use_time level max_uses owner ' +
  'remaining_uses roles';

describe('§7.12 POST …/nonces', () => {
  it('has the defaults level EXECUTE, unlimited uses and no description, and takes an empty body', async () => {
    const actor = await client.register();
    const { status, message, result } = await client.send(`POST /actors/${actor}/nonces`, as('olga'));
    expect({ status, message }).toEqual({ status: 200, message: 'Actor nonce created successfully.' });
    expect(Object.keys(result as object).join(' ')).toBe(keys);
    expect(result).toMatchObject({
      actor_id: actor,
      level: 'EXECUTE',
      max_uses: -1,
      remaining_uses: -1,
      current_uses: 0,
      description: '',
      owner: 'olga',
      roles: ['Internal/everyone'],
      last_use_time: 'None',
    });
  });

  it('gives an id of the form TENANT_hashid, which clients cut out of a webhook by a pattern', async () => {
    const id = await makeNonce(`/actors/${await client.register()}`);
    const [, found] =
      /x-nonce=([A-Z0-9a-z.-]+_[A-Z0-9a-z]+)/.exec(`https://h/actors/v2/x/messages?x-nonce=${id}`) ?? [];
    expect(found).toBe(id);
    expect(id).toMatch(/^PHYSICS_/);
  });

  it('takes max_uses as text, in camel form and in a form', async () => {
    const actor = await client.register();
    for (const question of [{ json: { maxUses: '3' } }, { json: { max_uses: 3 } }, { form: 'maxUses=3' }]) {
      const { result } = await client.send(`POST /actors/${actor}/nonces`, as('olga'), question);
      expect(result.remaining_uses).toBe(3);
    }
  });

  it.each([0, -2, '-5'])('refuses %s as max_uses', async (maxUses) => {
    const answer = await client.send(`POST /actors/${await client.register()}/nonces`, as('olga'), {
      json: { max_uses: maxUses },
    });
    const message = 'The max uses parameter must be a positive integer or -1 (to denote unlimited uses).';
    expect(answer).toMatchObject({ status: 400, message });
  });

  it('takes each of the four levels, and no other; for an alias not UPDATE', async () => {
    const actor = await client.register();
    const alias = await makeAlias(actor);
    const ask = async (path: string, level: string) =>
      (await client.send(`POST ${path}/nonces`, as('olga'), { json: { level } })).status;
    for (const level of ['NONE', 'READ', 'EXECUTE']) {
      expect(await ask(`/actors/${actor}`, level)).toBe(200);
      expect(await ask(`/actors/aliases/${alias}`, level)).toBe(200);
    }
    expect(await ask(`/actors/${actor}`, 'UPDATE')).toBe(200);
    expect(await ask(`/actors/aliases/${alias}`, 'UPDATE')).toBe(400);
    for (const level of ['ADMIN', 'read', '']) expect(await ask(`/actors/${actor}`, level)).toBe(400);
  });
});

describe('§7.12 the nonces of an actor', () => {
  it('are listed, read and deleted in the words of the contract', async () => {
    const path = `/actors/${await client.register()}`;
    const id = await makeNonce(path, { description: 'for the portal' });
    const list = await client.send(`GET ${path}/nonces`, as('olga'));
    expect(list.message).toBe('Actor nonces retrieved successfully.');
    expect(list.result).toMatchObject([{ id, description: 'for the portal' }]);
    expect(list.result[0]._links.self).toMatch(new RegExp(`/actors/v2/[^/]+/nonces/${id}$`));
    const one = await client.send(`GET ${path}/nonces/${id}`, as('olga'));
    expect(one).toMatchObject({ message: 'Actor nonce retrieved successfully.', result: { id } });
    const gone = await client.send(`DELETE ${path}/nonces/${id}`, as('olga'));
    expect(gone).toMatchObject({ status: 200, message: 'Actor nonce deleted successfully.', result: null });
    for (const verb of ['GET', 'DELETE']) {
      const answer = await client.send(`${verb} ${path}/nonces/${id}`, as('olga'));
      expect(answer).toMatchObject({ status: 400, message: 'Nonce not found.' });
    }
    expect(await post(path, id)).toMatchObject({ status: 400, message: 'Nonce does not exist.' });
  });

  it('are not offered PUT', async () => {
    const path = `/actors/${await client.register()}`;
    expect((await client.send(`PUT ${path}/nonces`, as('olga'), { json: {} })).status).toBe(405);
  });

  it('go with the actor', async () => {
    const path = `/actors/${await client.register()}`;
    const id = await makeNonce(path);
    await client.send(`DELETE ${path}`, as('olga'));
    expect(await post(path, id)).toMatchObject({ status: 400, message: 'Nonce does not exist.' });
  });

  it('made through an alias in the place of the id are good for the id alone', async () => {
    const actor = await client.register();
    const alias = await makeAlias(actor);
    const id = await makeNonce(`/actors/${alias}`);
    expect((await post(`/actors/${actor}`, id)).status).toBe(200);
    expect((await post(`/actors/${alias}`, id)).message).toBe('Nonce does not exist.');
  });

  it('of an alias are good for it alone, say "Alias", and have links without "None"', async () => {
    const actor = await client.register();
    const alias = await makeAlias(actor);
    const { message, result } = await client.send(`POST /actors/aliases/${alias}/nonces`, as('olga'));
    expect(message).toBe('Alias nonce created successfully.');
    expect(result).toMatchObject({ alias, actor_id: null });
    expect(JSON.stringify(result._links)).not.toContain('None');
    expect((await post(`/actors/${alias}`, result.id)).status).toBe(200);
    expect((await post(`/actors/${actor}`, result.id)).message).toBe('Nonce does not exist.');
    const list = await client.send(`GET /actors/aliases/${alias}/nonces`, as('olga'));
    expect(list).toMatchObject({
      message: 'Alias nonces retrieved successfully.',
      result: [{ id: result.id, current_uses: 1 }],
    });
    const gone = await client.send(`DELETE /actors/aliases/${alias}/nonces/${result.id}`, as('olga'));
    expect(gone.message).toBe('Alias nonce deleted successfully.');
  });
});

describe('§5.6 a nonce as credential', () => {
  it('is counted, and its last use is told', async () => {
    const path = `/actors/${await client.register()}`;
    const id = await makeNonce(path, { max_uses: 2 });
    await post(path, id);
    const { result } = await client.send(`GET ${path}/nonces/${id}`, as('olga'));
    expect(result).toMatchObject({ current_uses: 1, remaining_uses: 1, max_uses: 2 });
    expect(result.last_use_time).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  });

  it('with one use left, shown by 50 clients at once, lets exactly one in', async () => {
    const path = `/actors/${await client.register()}`;
    const id = await makeNonce(path, { max_uses: 1 });
    const answers = await Promise.all(Array.from({ length: 50 }, () => post(path, id)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    const refused = answers.filter(({ message }) => message === 'No remaining uses left for this nonce.');
    expect(refused).toHaveLength(49);
    expect((await client.send(`GET ${path}/messages`, as('olga'))).result.messages).toBe(1);
  });

  it('is spent also where the request fails after it', async () => {
    const path = `/actors/${await client.register()}`;
    const id = await makeNonce(path, { max_uses: 1 });
    expect((await client.send(`POST ${path}/messages?x-nonce=${id}`)).status).toBe(400);
    expect((await post(path, id)).message).toBe('No remaining uses left for this nonce.');
  });

  it('is not spent where its level is too low', async () => {
    const path = `/actors/${await client.register()}`;
    const id = await makeNonce(path, { max_uses: 1, level: 'READ' });
    expect((await post(path, id)).message).toBe('Nonce does not have sufficient permissions level.');
    expect((await client.send(`GET ${path}?x-nonce=${id}`)).status).toBe(200);
  });

  it('is read only where there is no valid token', async () => {
    const path = `/actors/${await client.register()}`;
    const id = await makeNonce(path, { max_uses: 1 });
    expect((await client.send(`GET ${path}?x-nonce=${id}`, as('olga'))).status).toBe(200);
    expect((await client.send(`GET ${path}/nonces/${id}`, as('olga'))).result.current_uses).toBe(0);
    const bad = { 'x-jwt-assertion-physics': 'a.b.c' };
    expect((await client.send(`GET ${path}?x-nonce=${id}`, bad)).status).toBe(200);
    expect((await client.send(`GET ${path}`, bad)).message).toMatch(/^No JWT or nonce provided\./);
  });

  it('is good for the actor it was made of, and no other', async () => {
    const id = await makeNonce(`/actors/${await client.register()}`);
    expect((await post(`/actors/${await client.register()}`, id)).message).toBe('Nonce does not exist.');
  });

  it('acts as its owner, by the permissions the owner has now', async () => {
    const path = `/actors/${await client.register()}`;
    const give = (level: string) =>
      client.send(`POST ${path}/permissions`, as('olga'), { json: { user: 'nina', level } });
    await give('UPDATE');
    const id = await makeNonce(path, {}, as('nina'));
    expect((await post(path, id)).status).toBe(200);
    await give('READ');
    expect((await post(path, id)).message).toBe('Not authorized -- you do not have access to this actor.');
  });

  it('is passed on into the environment of the execution, whose executor is its owner', async () => {
    const actor = await client.register();
    const id = await makeNonce(`/actors/${actor}`);
    await post(`/actors/${actor}`, id);
    const { claimed } = await takeMessage(client.api, actor, 'PHYSICS');
    expect(claimed.message).toMatchObject({ executor: 'olga', environment: { 'x-nonce': id } });
    expect(claimed.message).not.toHaveProperty('jwtHeaderName');
  });

  it.each(['PHYSICS_RrRrRr', 'CHEMISTRY_Rr', 'x', '_Rr', 'PHYSICS_', 'a'.repeat(5_000)])(
    'that is none does not exist: %.20s',
    async (id) => {
      const answer = await post(`/actors/${await client.register()}`, id);
      expect(answer).toMatchObject({ status: 400, message: 'Nonce does not exist.' });
    },
  );
});

describe('§5.6 whoever may READ', () => {
  const listed = async (from: Client, path: string, who: Record<string, string>) =>
    (await from.send(`GET ${path}/nonces`, who)).result[0].id as string | null;

  it('does not find the ids of nonces, nor who shows a nonce below UPDATE', async () => {
    const path = `/actors/${await client.register()}`;
    await client.send(`POST ${path}/permissions`, as('olga'), { json: { user: 'jane', level: 'EXECUTE' } });
    const reading = await makeNonce(path, { level: 'READ' });
    expect(await listed(client, path, as('jane'))).toBeNull();
    expect(await listed(client, path, as('root', 'admin'))).toBe(reading);
    const shown = await client.send(`GET ${path}/nonces?x-nonce=${reading}`);
    expect(shown.result).toMatchObject([{ id: null, level: 'READ' }]);
    expect(shown.text).not.toContain(reading);
  });

  it('does not find that of an administrator either, unless it is one', async () => {
    const path = `/actors/${await client.register()}`;
    const id = await makeNonce(path, { level: 'UPDATE' }, as('root', 'admin'));
    expect(await listed(client, path, as('olga'))).toBeNull();
    expect(await listed(client, path, as('olga', 'privileged'))).toBeNull();
    expect(await listed(client, path, as('anna', 'admin'))).toBe(id);
  });

  it('finds them where compat.nonce_ids = "readers", as with the original', async () => {
    await using open = await startClient('', { settings: { ABACO_COMPAT_NONCE_IDS: 'readers' } });
    const path = `/actors/${await open.register()}`;
    await open.send(`POST ${path}/permissions`, as('olga'), { json: { user: 'jane', level: 'READ' } });
    const { result } = await open.send(`POST ${path}/nonces`, as('olga'));
    expect(await listed(open, path, as('jane'))).toBe(result.id);
  });
});

describe('§5.6 auth.accept_nonces = false', () => {
  it('lets no nonce in, and goes on asking for tokens', async () => {
    await using closed = await startClient('', { settings: { ABACO_AUTH_ACCEPT_NONCES: 'false' } });
    const path = `/actors/${await closed.register()}`;
    const { result } = await closed.send(`POST ${path}/nonces`, as('olga'));
    expect((await closed.send(`GET ${path}?x-nonce=${result.id}`)).message).toMatch(/^No JWT or nonce provided\./);
    expect((await closed.send(`GET ${path}`, as('jane'))).status).toBe(400);
  });
});
