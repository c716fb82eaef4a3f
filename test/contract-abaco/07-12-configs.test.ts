/**
 * The configs and secrets of §7.12, and who may do what with one (§5.4).
 *
 * Not here: how containers get them (e2e/configs.test.ts), how they are encrypted at rest
 * (unit/actors/secret-box.test.ts); that listing and making one takes any role (05-4-access-table.test.ts).
 *
 * Not as the original: of a secret a text is shown that stands for it, and not what is kept, which is nobody's business
 * and no Fernet token. A name is a word of a path as an alias is: so `\`, `"` and `%` are refused too, which clients
 * that put names into a path as they are cannot send, and so is `permissions`, which the original's own proxy takes for
 * another route. Configs do not go on naming an actor or alias that is deleted (§16).
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

const make = (name: string, actors: string, more: object = {}, who = as('olga')) =>
  client.send('POST /actors/configs', who, { json: { name, value: '{"a": 1}', is_secret: false, actors, ...more } });

const put = (name: string, json: object, who = as('olga')) => client.send(`PUT /actors/configs/${name}`, who, { json });

const get = (name: string, who = as('olga')) => client.send(`GET /actors/configs/${name}`, who);

const clear = 'correct-horse-battery-staple';

describe('§7.12 POST /actors/configs', () => {
  it('makes a config, which its creator may UPDATE', async () => {
    const actor = await client.register();
    const answer = await make('settings', actor);
    expect(answer).toMatchObject({ status: 200, message: 'Actor config created successfully.' });
    expect(answer.result).toEqual({ name: 'settings', value: '{"a": 1}', is_secret: false, actors: actor });
    const { result } = await client.send('GET /actors/configs/settings/permissions', as('olga'));
    expect(result).toEqual({ olga: 'UPDATE' });
  });

  it.each(['name', 'value', 'is_secret', 'actors'])('requires %s', async (field) => {
    const all = { name: 'lacks', value: 'v', is_secret: false, actors: await client.register() };
    const json = Object.fromEntries(Object.entries(all).filter(([name]) => name !== field));
    const answer = await client.send('POST /actors/configs', as('olga'), { json });
    expect(answer.status).toBe(400);
    expect(answer.message).toContain(field);
  });

  it('takes a form, and a boolean in any spelling', async () => {
    const actor = await client.register();
    const form = new URLSearchParams({ name: 'formed', value: 'v', is_secret: 'TRUE', actors: actor }).toString();
    const answer = await client.send('POST /actors/configs', as('olga'), { form });
    expect(answer).toMatchObject({ status: 200, result: { is_secret: true } });
  });

  it('takes ids and aliases, separated by commas', async () => {
    const [one, other] = [await client.register(), await client.register()];
    await client.send('POST /actors/aliases', as('olga'), { json: { alias: 'second', actor_id: other } });
    const { result } = await make('both', `${one}, second,${one}`);
    expect(result.actors).toBe(`${one},second`);
  });

  it('does not know what is neither an actor nor an alias', async () => {
    const answer = await make('lost', `${await client.register()},nobody`);
    expect(answer).toMatchObject({ status: 404, message: 'No actor or alias found with id: nobody.' });
    const id = client.api.services.ids.next();
    expect(await make('lost', id)).toMatchObject({ status: 404, message: `No actor or alias found with id: ${id}.` });
    expect((await get('lost')).status).toBe(404);
  });

  it.each(['executions', 'nonces', 'logs', 'messages', 'adapters', 'admin', 'utilization', 'permissions'])(
    'refuses the reserved word %s',
    async (word) => {
      expect((await make(word, await client.register())).status).toBe(400);
    },
  );

  it.each(':/?#[]@!$&\'()*+,;= \\"%'.split(''))('refuses the character %s', async (character) => {
    expect((await make(`a${character}b`, await client.register())).status).toBe(400);
  });

  it('refuses a name that is taken, also for one of two that ask at once', async () => {
    const actor = await client.register();
    const answers = await Promise.all([make('wanted', actor), make('wanted', actor)]);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.find(({ status }) => status === 400)?.message).toBe(
      'Config wanted already exists; please choose another name for your config',
    );
  });

  it('refuses 1 MB as value, as name and as actors, and a value that does not fit beside the others of an actor', async () => {
    const actor = await client.register();
    const large = await make('large', actor, { value: 'x'.repeat(1_000_000) });
    expect(large.status).toBe(400);
    expect(large.message.length).toBeLessThan(300);
    const [name, unknown] = ['n'.repeat(1_000_000), 'u'.repeat(1_000_000)];
    const names = Array.from({ length: 100_000 }, (_, index) => `nobody-${index}`).join(',');
    for (const refused of [await make(name, actor), await make('large', unknown), await make('large', names)]) {
      expect([400, 404]).toContain(refused.status);
      expect(refused.message.length).toBeLessThan(400);
    }
    expect((await get('large')).status).toBe(404);
    expect((await make('half', actor, { value: 'x'.repeat(100_000) })).status).toBe(200);
    expect((await make('other-half', actor, { value: 'x'.repeat(100_000) })).status).toBe(400);
    expect((await make('other-half', actor, { value: 'x'.repeat(30_000) })).status).toBe(200);
  });

  it('lets an ordinary user name an actor that is not theirs (§16, 3)', async () => {
    expect((await make('strangers', await client.register('jane'))).status).toBe(200);
  });

  it('takes UPDATE on each actor where the configuration says so', async () => {
    await using strict = await startClient('[compat]\nconfig_actors = "updatable"\n');
    const json = { name: 'c', value: 'v', is_secret: false, actors: await strict.register('jane') };
    expect((await strict.send('POST /actors/configs', as('olga'), { json })).status).toBe(400);
    expect((await strict.send('POST /actors/configs', as('jane'), { json })).status).toBe(200);
  });
});

describe('§7.12 a secret', () => {
  it('is shown in clear to nobody, nor as it is kept', async () => {
    const actor = await client.register();
    const made = await make('hidden', actor, { value: clear, is_secret: true });
    expect(made.result.value).toMatch(/^abaco-secret:[0-9a-f]{32}$/);
    const root = as('root', 'admin');
    const texts = [
      made.text,
      (await get('hidden')).text,
      (await get('hidden', root)).text,
      (await client.send('GET /actors/configs', as('olga'))).text,
      (await client.send(`GET /actors/${actor}`, root)).text,
      (await client.send(`GET /actors/search/actors?search=${clear}`, root)).text,
    ];
    expect(texts.filter((text) => text.includes(clear) || text.includes('abaco-secret-v1'))).toEqual([]);
    const [kept] = await client.api.services.configs.valuesFor({ tenant: 'PHYSICS', actorId: actor });
    expect(kept).toEqual({ name: 'hidden', value: clear });
  });

  it('stays as it is when what stands for it is given back, and cannot be made a setting so', async () => {
    const actor = await client.register();
    const { value } = (await make('kept', actor, { value: clear, is_secret: true })).result as { value: string };
    expect((await put('kept', { value, is_secret: true, actors: actor })).result.value).toBe(value);
    const values = await client.api.services.configs.valuesFor({ tenant: 'PHYSICS', actorId: actor });
    expect(values).toEqual([{ name: 'kept', value: clear }]);
    expect((await put('kept', { value, is_secret: false, actors: actor })).status).toBe(400);
  });

  it('is not quoted where it is refused', async () => {
    const answer = await make('refused', 'nobody', { value: clear, is_secret: true });
    expect(answer.status).toBe(404);
    expect(answer.text).not.toContain(clear);
  });
});

describe('§7.12 GET /actors/configs', () => {
  it('lists all of the tenant, unfiltered, in alphabetical order', async () => {
    await using alone = await startClient('[tenants.OPEN]\nmode = "none"\n');
    const actors = await alone.register();
    for (const name of ['b', 'a']) {
      const json = { name, value: 'v', is_secret: false, actors };
      await alone.send('POST /actors/configs', as('olga'), { json });
    }
    const answer = await alone.send('GET /actors/configs', as('jane'));
    expect(answer).toMatchObject({ status: 200, message: 'Actor Configs retrieved successfully.' });
    expect((answer.result as unknown as { name: string }[]).map(({ name }) => name)).toEqual(['a', 'b']);
    expect((await alone.send('GET /actors/configs', { tenant: 'OPEN' })).result).toEqual([]);
  });
});

describe('§§5.4, 7.12 one config', () => {
  it('is read with READ and changed with UPDATE, by its own permissions', async () => {
    const actor = await client.register();
    await make('guarded', actor);
    const refusal = { status: 400, message: 'You do not have sufficient access to this actor config.' };
    expect(await get('guarded', as('jane'))).toMatchObject(refusal);
    const json = { user: 'jane', level: 'READ' };
    await client.send('POST /actors/configs/guarded/permissions', as('olga'), { json });
    expect(await get('guarded', as('jane'))).toMatchObject({
      status: 200,
      message: 'Config retrieved successfully.',
      result: { name: 'guarded' },
    });
    const change = { value: 'n', is_secret: false, actors: actor };
    expect(await put('guarded', change, as('jane'))).toMatchObject(refusal);
    expect(await client.send('DELETE /actors/configs/guarded', as('jane'))).toMatchObject(refusal);
    expect((await put('guarded', change, as('root', 'admin'))).status).toBe(200);
  });

  it('is replaced by PUT, which passes over a name in the body', async () => {
    const actor = await client.register();
    await make('replaced', actor);
    const answer = await put('replaced', { name: 'other', value: 'new', is_secret: false, actors: actor });
    expect(answer).toMatchObject({ status: 200, message: 'Actor config updated successfully.' });
    expect((await get('replaced')).result).toMatchObject({ name: 'replaced', value: 'new' });
    expect((await get('other')).status).toBe(404);
  });

  it('is gone after DELETE, with its permissions', async () => {
    const actor = await client.register();
    await make('gone', actor);
    await client.send('POST /actors/configs/gone/permissions', as('olga'), { json: { user: 'jane', level: 'READ' } });
    const answer = await client.send('DELETE /actors/configs/gone', as('olga'));
    expect(answer).toMatchObject({ status: 200, message: 'Actor config gone deleted successfully.' });
    expect(await get('gone')).toMatchObject({ status: 404, message: 'No config found: gone.' });
    expect(await client.send('DELETE /actors/configs/gone', as('olga'))).toMatchObject({
      status: 404,
      message: 'No config found with name: gone.',
    });
    await make('gone', actor);
    expect((await get('gone', as('jane'))).status).toBe(400);
    expect(await client.api.services.configs.valuesFor({ tenant: 'PHYSICS', actorId: actor })).toHaveLength(1);
  });

  it('refuses a bad level, and permissions of one that is not there', async () => {
    await make('levels', await client.register());
    const path = 'POST /actors/configs/levels/permissions';
    const bad = await client.send(path, as('olga'), { json: { user: 'jane', level: 'ALL' } });
    expect(bad.message).toMatch(/^Invalid permission level: ALL\. /);
    expect((await client.send('GET /actors/configs/none/permissions', as('root', 'admin'))).status).toBe(404);
  });
});

describe('§16 a config whose actor, or whose alias, is deleted', () => {
  it('names it no more', async () => {
    const [stays, leaves] = [await client.register(), await client.register()];
    await client.send('POST /actors/aliases', as('olga'), { json: { alias: 'leaving', actor_id: leaves } });
    await make('shared', `${leaves},${stays},leaving`);
    await client.send(`DELETE /actors/${leaves}`, as('olga'));
    expect((await get('shared')).result).toMatchObject({ actors: stays });
  });

  it('is given to nobody who takes the alias next', async () => {
    const [first, second] = [await client.register(), await client.register('jane')];
    await client.send('POST /actors/aliases', as('olga'), { json: { alias: 'freed', actor_id: first } });
    await make('private', 'freed', { value: clear, is_secret: true });
    await client.send('DELETE /actors/aliases/freed', as('olga'));
    await client.send('POST /actors/aliases', as('jane'), { json: { alias: 'freed', actor_id: second } });
    expect(await client.api.services.configs.valuesFor({ tenant: 'PHYSICS', actorId: second })).toEqual([]);
  });
});
