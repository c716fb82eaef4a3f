/**
 * The aliases of §7.12, and of §4 how an alias and an id are told apart.
 *
 * Not here: an alias as the target of a link (`11-events.test.ts`) or of a config (`07-12-configs.test.ts`).
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

const make = (alias: string, actor: string, who = as('olga')) =>
  client.send('POST /actors/aliases', who, { json: { alias, actor_id: actor } });

const noAccess = 'Not authorized -- you do not have access to this actor.';

describe('§7.12 POST /actors/aliases', () => {
  it('makes an alias, whose creator has UPDATE on it', async () => {
    const actor = await client.register();
    const answer = await make('counter', actor);
    expect(answer).toMatchObject({ status: 200, message: 'Actor alias created successfully.' });
    expect(Object.keys(answer.result as object)).toEqual(['_links', 'actor_id', 'alias', 'owner']);
    expect(answer.result).toMatchObject({ alias: 'counter', actor_id: actor, owner: 'olga' });
    const { _links: links } = answer.result;
    expect(links.self).toMatch(/\/actors\/v2\/aliases\/counter$/);
    expect(links.actor).toMatch(new RegExp(`/actors/v2/${actor}$`));
    expect(links.owner).toMatch(/\/profiles\/v2\/olga$/);
    const { result } = await client.send('GET /actors/aliases/counter/permissions', as('olga'));
    expect(result).toEqual({ olga: 'UPDATE' });
  });

  it('refuses a hash id', async () => {
    const answer = await make('Rr', await client.register());
    const message = 'Invalid alias description. Alias cannot be an Abaco hash id.';
    expect(answer).toMatchObject({ status: 400, message });
  });

  it.each(['executions', 'nonces', 'logs', 'messages', 'adapters', 'admin'])(
    'refuses the reserved word %s',
    async (word) => {
      expect((await make(word, await client.register())).status).toBe(400);
    },
  );

  it.each(['search', 'aliases', 'configs', 'utilization', 'v2'])('refuses %s, which a route hides', async (word) => {
    expect((await make(word, await client.register())).status).toBe(400);
  });

  it.each('\\ ":/?#[]@!$&\'()*+,;='.split(''))('refuses the character %s', async (character) => {
    expect((await make(`a${character}b`, await client.register())).status).toBe(400);
  });

  it('takes the name of a tenant once', async () => {
    const actor = await client.register();
    await make('once', actor);
    const again = await make('once', await client.register());
    expect(again).toMatchObject({ status: 400, message: 'Alias once already exists.' });
    expect((await client.send('GET /actors/once', as('olga'))).result.id).toBe(actor);
  });

  it('made twice at once is made once', async () => {
    const actors = await Promise.all(Array.from({ length: 20 }, () => client.register()));
    const answers = await Promise.all(actors.map((actor) => make('race', actor)));
    const won = answers.filter(({ status }) => status === 200);
    expect(won).toHaveLength(1);
    expect((await client.send('GET /actors/race', as('olga'))).result.id).toBe(won[0]?.result.actor_id);
  });

  it('needs UPDATE on the actor, of an administrator too', async () => {
    const actor = await client.register();
    for (const who of [as('jane'), as('root', 'admin')]) {
      expect(await make('theirs', actor, who)).toMatchObject({ status: 400, message: noAccess });
    }
    expect((await client.send('GET /actors/aliases/theirs', as('olga'))).status).toBe(404);
  });

  it('knows only actors of the tenant', async () => {
    for (const actor of ['jane', client.api.services.ids.next()]) {
      const answer = await make('nowhere', actor);
      expect(answer).toMatchObject({ status: 404, message: `No actor found with id: ${actor}.` });
    }
  });

  it('needs both fields, and says which is missing', async () => {
    const answer = await client.send('POST /actors/aliases', as('olga'), { json: {} });
    expect(answer.status).toBe(400);
    expect(answer.message).toContain("'alias'");
    expect(answer.message).toContain("'actor_id'");
  });
});

describe('§7.12 GET /actors/aliases', () => {
  it('lists all of the tenant, to everyone', async () => {
    await make('for-all', await client.register());
    const answer = await client.send('GET /actors/aliases', as('stranger'));
    expect(answer).toMatchObject({ status: 200, message: 'Aliases retrieved successfully.' });
    expect((answer.result as { alias: string }[]).map(({ alias }) => alias)).toContain('for-all');
  });

  it('answers one in the words of the contract, and 404 for none', async () => {
    await make('one', await client.register());
    expect(await client.send('GET /actors/aliases/one', as('olga'))).toMatchObject({
      message: 'Alias retrieved successfully.',
      result: { alias: 'one' },
    });
    for (const who of [as('olga'), as('root', 'admin')]) {
      const none = await client.send('GET /actors/aliases/none', who);
      expect(none).toMatchObject({ status: 404, message: 'No alias found: none.' });
    }
  });
});

describe('§7.12 PUT /actors/aliases/{alias}', () => {
  const put = (alias: string, json: object, who = as('olga')) =>
    client.send(`PUT /actors/aliases/${alias}`, who, { json });

  it('lets it stand for another actor; the owner stays, the updater gets UPDATE', async () => {
    const other = await client.register();
    await make('moves', await client.register());
    const answer = await put('moves', { actorId: other }, as('root', 'admin'));
    expect(answer).toMatchObject({ status: 200, message: 'Actor alias updated successfully.' });
    expect(answer.result).toMatchObject({ actor_id: other, owner: 'olga' });
    expect((await client.send('GET /actors/moves', as('olga'))).result.id).toBe(other);
    const { result } = await client.send('GET /actors/aliases/moves/permissions', as('olga'));
    expect(result).toEqual({ olga: 'UPDATE', root: 'UPDATE' });
  });

  it('refuses a field alias', async () => {
    await make('stays', await client.register());
    const answer = await put('stays', { actor_id: await client.register(), alias: 'x' });
    expect(answer.status).toBe(400);
    expect(answer.message).toMatch(/^Invalid alias update description\. /);
  });

  it('needs UPDATE on the alias and on the new actor', async () => {
    await make('guarded', await client.register());
    const janes = await client.register('jane');
    const refused = await put('guarded', { actor_id: janes }, as('jane'));
    expect(refused.message).toBe('Not authorized -- you do not have access to this alias.');
    expect((await put('guarded', { actor_id: janes })).message).toBe(noAccess);
  });
});

describe('§7.12 DELETE /actors/aliases/{alias}', () => {
  it('frees the name, with its permissions and its nonces', async () => {
    const actor = await client.register();
    await make('freed', actor);
    await client.send('POST /actors/aliases/freed/permissions', as('olga'), {
      json: { user: 'jane', level: 'UPDATE' },
    });
    const { result: nonce } = await client.send('POST /actors/aliases/freed/nonces', as('olga'));
    const answer = await client.send('DELETE /actors/aliases/freed', as('olga'));
    expect(answer).toMatchObject({ status: 200, message: 'Alias freed deleted successfully.', result: null });
    expect((await client.send('GET /actors/freed', as('olga'))).status).toBe(404);
    expect((await client.send('DELETE /actors/aliases/freed', as('olga'))).status).toBe(404);
    await make('freed', actor);
    const { result } = await client.send('GET /actors/aliases/freed/permissions', as('olga'));
    expect(result).toEqual({ olga: 'UPDATE' });
    const late = await client.send(`GET /actors/freed?x-nonce=${nonce.id}`);
    expect(late.message).toBe('Nonce does not exist.');
  });
});

describe('§7.12 an alias of an actor that is deleted', () => {
  it('is cleaned up with it', async () => {
    const actor = await client.register();
    await make('dangling', actor);
    await client.send(`DELETE /actors/${actor}`, as('olga'));
    expect((await client.send('GET /actors/aliases/dangling', as('olga'))).status).toBe(404);
    expect((await make('dangling', await client.register())).status).toBe(200);
  });

  it('that nobody cleaned up is free for others', async () => {
    const { aliases, ids } = client.api.services;
    const ghost = { tenant: 'PHYSICS', alias: 'ghost', actorId: ids.next(), owner: 'olga' };
    // As a process leaves it that died between its two steps.
    expect(await aliases.create(ghost)).toBe('gone');
    expect(await aliases.get('PHYSICS', 'ghost')).toBeUndefined();
    expect((await make('ghost', await client.register())).status).toBe(200);
  });
});

describe('§§4, 7 {id}', () => {
  it('accepts an alias for every sub-resource, and shows the id in what it answers', async () => {
    const actor = await client.register('olga', { stateless: false });
    await make('everywhere', actor);
    const sent = await client.send('POST /actors/everywhere/messages', as('olga'), { json: { message: 'm' } });
    const execution = sent.result.execution_id as string;
    expect(sent.result._links.self).toContain(`/actors/v2/${actor}/executions/${execution}`);
    for (const path of [
      '',
      '/state',
      '/messages',
      '/executions',
      `/executions/${execution}`,
      `/executions/${execution}/logs`,
      `/executions/${execution}/results`,
      '/workers',
      '/nonces',
      '/permissions',
    ]) {
      expect((await client.send(`GET /actors/everywhere${path}`, as('olga'))).status, path).toBe(200);
    }
    expect((await client.send('POST /actors/everywhere/state', as('olga'), { json: { a: 1 } })).status).toBe(200);
    expect(
      (await client.send('PUT /actors/everywhere', as('olga'), { json: { image: 'debian', stateless: false } })).status,
    ).toBe(200);
    expect((await client.send('DELETE /actors/everywhere/messages', as('olga'))).status).toBe(200);
    expect((await client.send('DELETE /actors/everywhere', as('olga'))).status).toBe(200);
  });

  it('counts the permissions of the actor and not those of the alias', async () => {
    const actor = await client.register();
    await make('counts', actor);
    await client.send('POST /actors/aliases/counts/permissions', as('olga'), {
      json: { user: 'jane', level: 'UPDATE' },
    });
    expect((await client.send('GET /actors/counts', as('jane'))).message).toBe(noAccess);
    await client.send(`POST /actors/${actor}/permissions`, as('olga'), { json: { user: 'joe', level: 'READ' } });
    expect((await client.send('GET /actors/counts', as('joe'))).status).toBe(200);
  });

  it('that is neither a hash id nor an alias is not found', async () => {
    const answer = await client.send('GET /actors/jane', as('olga'));
    expect(answer).toMatchObject({ status: 404, message: "Actor with identifier 'jane' not found" });
  });

  it('is unknown to another tenant, also as an alias', async () => {
    await using two = await startClient('[tenants.OPEN]\nmode = "none"\n');
    const actor = await two.register();
    await two.send('POST /actors/aliases', as('olga'), { json: { alias: 'mine', actor_id: actor } });
    expect((await two.send('GET /actors/mine', { tenant: 'OPEN' })).status).toBe(404);
    expect((await two.send('GET /actors/aliases', { tenant: 'OPEN' })).result).toEqual([]);
  });
});

describe('§5.4 a path with the text "admin"', () => {
  it('is for administrators alone, also where it is that of an alias', async () => {
    await make('administer', await client.register());
    expect(await client.send('GET /actors/administer', as('olga'))).toMatchObject({
      status: 400,
      message: 'Abaco Admin role required.',
    });
    expect((await client.send('GET /actors/administer', as('root', 'admin'))).status).toBe(200);
  });
});

describe('§5.4 a well-formed id that nobody has', () => {
  it('is said not to exist with its tenant, and 404 to administrators', async () => {
    const id = client.api.services.ids.next();
    expect(await client.send(`GET /actors/${id}`, as('olga'))).toMatchObject({
      status: 400,
      message: `Actor PHYSICS_${id} does not exist`,
    });
    const sent = await client.send(`POST /actors/${id}/messages?message=m`, as('olga'));
    expect(sent).toMatchObject({ status: 400, message: `Actor PHYSICS_${id} does not exist` });
    const admin = await client.send(`GET /actors/${id}`, as('root', 'admin'));
    expect(admin).toMatchObject({ status: 404, message: `No actor found with identifier: ${id}.` });
    const put = await client.send(`PUT /actors/${id}`, as('root', 'admin'), { json: { image: 'debian' } });
    expect(put).toMatchObject({ status: 404, message: `No actor found with id: ${id}.` });
  });
});
