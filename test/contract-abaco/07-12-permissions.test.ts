/**
 * The permissions of §7.12, and of §5.4 what is no table: who is given what without asking, and listings.
 *
 * Not here: permissions of configs (07-12-configs.test.ts).
 */

import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { worldUser } from '../../src/auth/permission.ts';
import { as, type Client, startClient } from '../support/abaco-client.ts';

let client: Client;

beforeAll(async () => {
  client = await startClient();
});

afterAll(async () => {
  await client[Symbol.asyncDispose]();
});

const give = (actor: string, user: string, level: string, who = as('olga')) =>
  client.send(`POST /actors/${actor}/permissions`, who, { json: { user, level } });

const listed = async (who: Record<string, string>): Promise<readonly string[]> =>
  ((await client.send('GET /actors', who)).result as { id: string }[]).map(({ id }) => id);

describe('§7.12 /actors/{id}/permissions', () => {
  it('is a map of users to levels, in which the creator has UPDATE', async () => {
    const actor = await client.register();
    const answer = await client.send(`GET /actors/${actor}/permissions`, as('olga'));
    expect(answer).toMatchObject({ status: 200, message: 'Permissions retrieved successfully.' });
    expect(answer.result).toEqual({ olga: 'UPDATE' });
  });

  it('answers the whole map after a level was given', async () => {
    const answer = await give(await client.register(), 'jane', 'EXECUTE');
    expect(answer).toMatchObject({ status: 200, message: 'Permission added successfully.' });
    expect(answer.result).toEqual({ olga: 'UPDATE', jane: 'EXECUTE' });
  });

  it('keeps an entry that is set to NONE', async () => {
    const actor = await client.register();
    await give(actor, 'jane', 'READ');
    expect((await give(actor, 'jane', 'NONE')).result).toEqual({ olga: 'UPDATE', jane: 'NONE' });
    expect((await client.send(`GET /actors/${actor}`, as('jane'))).status).toBe(400);
  });

  it('takes from the owner what the map takes', async () => {
    const actor = await client.register();
    await give(actor, 'olga', 'READ', as('root', 'admin'));
    expect((await client.send(`GET /actors/${actor}`, as('olga'))).status).toBe(200);
    const sent = await client.send(`POST /actors/${actor}/messages?message=m`, as('olga'));
    expect(sent).toMatchObject({ status: 400, message: 'Not authorized -- you do not have access to this actor.' });
  });

  it('needs both fields, and says which is missing', async () => {
    const path = `POST /actors/${await client.register()}/permissions`;
    const noLevel = await client.send(path, as('olga'), { json: { user: 'jane' } });
    expect(noLevel.status).toBe(400);
    expect(noLevel.message).toContain("'level'");
    expect((await client.send(path, as('olga'), { json: { level: 'READ' } })).message).toContain("'user'");
  });

  it.each(['ADMIN', 'read', '', '3'])('refuses the level %j', async (level) => {
    const answer = await give(await client.register(), 'jane', level);
    expect(answer.status).toBe(400);
    expect(answer.message).toContain('Invalid permission level: ');
  });

  it.each(['', 'a\0', 'x'.repeat(256)])('refuses the user %.5j', async (user) => {
    expect((await give(await client.register(), user, 'READ')).status).toBe(400);
  });

  it('has no DELETE', async () => {
    const answer = await client.send(`DELETE /actors/${await client.register()}/permissions`, as('olga'));
    expect(answer.status).toBe(405);
  });

  it('never spells a user otherwise, also in camel form', async () => {
    await using camel = await startClient('', { settings: { ABACO_SERVICE_CASE: 'camel' } });
    const actor = await camel.register();
    const json = { user: 'jane_doe', level: 'READ' };
    const { result } = await camel.send(`POST /actors/${actor}/permissions`, as('olga'), { json });
    expect(result).toEqual({ olga: 'UPDATE', jane_doe: 'READ' });
  });
});

describe('§5.4 GET /actors', () => {
  it('lists what the caller may READ by an entry of their own or of everybody, also for an administrator', async () => {
    const own = await client.register('lisa');
    const shared = await client.register();
    const open = await client.register();
    const foreign = await client.register();
    const none = await client.register();
    await give(shared, 'lisa', 'READ');
    await give(open, worldUser, 'READ');
    await give(none, 'lisa', 'NONE');
    for (const role of ['user', 'admin'] as const) {
      const ids = await listed(as('lisa', role));
      expect(ids).toEqual(expect.arrayContaining([own, shared, open]));
      expect(ids).not.toContain(foreign);
      expect(ids).not.toContain(none);
    }
  });

  it('lists what is shared with everybody to somebody who was never named', async () => {
    const actor = await client.register();
    expect(await listed(as('newcomer'))).not.toContain(actor);
    await give(actor, worldUser, 'READ');
    expect(await listed(as('newcomer'))).toContain(actor);
    await give(actor, worldUser, 'NONE');
    expect(await listed(as('newcomer'))).not.toContain(actor);
  });

  it('reads nothing of actors that it does not list', async () => {
    await Promise.all(Array.from({ length: 30 }, () => client.register()));
    await give(await client.register(), 'sue', 'READ');
    const watch = new Redis(client.api.redis.url);
    const calls = async () => Number(/total_commands_processed:(\d+)/.exec(await watch.info('stats'))?.[1]);
    const before = await calls();
    await listed(as('sue'));
    const during = (await calls()) - before;
    watch.disconnect();
    // The look itself, the list, and three commands for each actor that is shared with everybody or with sue.
    expect(during).toBeLessThan(20);
  });
});

describe('§7.4 PUT by another than the owner', () => {
  it('gives the updater UPDATE, and leaves the owner', async () => {
    const actor = await client.register();
    const answer = await client.send(`PUT /actors/${actor}`, as('root', 'admin'), { json: { image: 'debian' } });
    expect(answer.result.owner).toBe('olga');
    const { result } = await client.send(`GET /actors/${actor}/permissions`, as('olga'));
    expect(result).toEqual({ olga: 'UPDATE', root: 'UPDATE' });
    expect(await listed(as('root', 'admin'))).toContain(actor);
  });
});

describe('§7.4 the permissions of a deleted actor', () => {
  it('are gone, from the lists of all who stood in them too', async () => {
    const actor = await client.register();
    await give(actor, 'jane', 'READ');
    await client.send(`DELETE /actors/${actor}`, as('olga'));
    expect(await listed(as('jane'))).not.toContain(actor);
    const object = { kind: 'actor', tenant: 'PHYSICS', id: actor } as const;
    expect((await client.api.services.permissions.all(object)).size).toBe(0);
  });
});
