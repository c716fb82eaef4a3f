/**
 * §5.4: the permission table. Each route, in each role, at each level, come by as one's own, as everybody's, not at all,
 * or through a nonce: whether it is refused, and in which words. What a route answers to whom it lets in is elsewhere.
 */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { worldUser } from '../../src/auth/permission.ts';
import { as, type Client, type RoleName, startClient } from '../support/abaco-client.ts';
import type { Answer } from '../support/api-requests.ts';
import { accessTable, adminTable, type Line, openTable, patternOf, requestOf } from './access-table.ts';

let client: Client;

beforeAll(async () => {
  client = await startClient();
});

afterAll(async () => {
  await client[Symbol.asyncDispose]();
});

const levels = ['NONE', 'READ', 'EXECUTE', 'UPDATE'] as const;
type Level = (typeof levels)[number];
const roles: readonly (RoleName | 'none')[] = ['none', 'limited', 'user', 'privileged', 'admin'];

interface Fixture {
  readonly actor: string;
  readonly alias: string;
  readonly config: string;
}

let made = 0;

/** Olga's actor, with an alias of it and a config for it. */
async function makeFixture(): Promise<Fixture> {
  const actor = await client.register('olga', { stateless: false });
  const alias = `alias-${(made += 1)}`;
  await client.send('POST /actors/aliases', as('olga'), { json: { alias, actor_id: actor } });
  const config = `config-${made}`;
  const json = { name: config, value: 'v', is_secret: false, actors: actor };
  await client.send('POST /actors/configs', as('olga'), { json });
  return { actor, alias, config };
}

async function grant({ actor, alias, config }: Fixture, user: string, level: Level): Promise<void> {
  for (const path of [`/actors/${actor}`, `/actors/aliases/${alias}`, `/actors/configs/${config}`]) {
    const given = await client.send(`POST ${path}/permissions`, as('olga'), { json: { user, level } });
    expect(given.status, given.text).toBe(200);
  }
}

async function askLine(line: Line, fixture: Fixture, who: Readonly<Record<string, string>>, nonce?: string) {
  const query = nonce === undefined ? '' : `?x-nonce=${nonce}`;
  return await client.send(requestOf(line, { ...fixture, nonce: 'PHYSICS_RrRrRr' }) + query, who, line.question);
}

function refusalOf({ need, on }: Line, role: RoleName | 'none', level: Level): string | undefined {
  if (role === 'none') return 'Not authorized -- missing required role.';
  if (role === 'admin') return undefined;
  if (need === 'admin') return 'Not authorized -- only admins are authorized to update workers.';
  if (levels.indexOf(level) >= levels.indexOf(need)) return undefined;
  if (on === 'config') return 'You do not have sufficient access to this actor config.';
  return `Not authorized -- you do not have access to this ${on}.`;
}

const gate = /^(You do not have|Not authorized|No JWT|Nonce does not|No remaining)/;

function expectAnswer(answer: Answer, line: Line, refusal: string | undefined): void {
  const place = `${line.request}: ${answer.status} ${answer.text}`;
  if (refusal === undefined) {
    expect(answer.message, place).not.toMatch(gate);
    expect(answer.status, place).toBeLessThan(500);
    return;
  }
  expect(answer.status, place).toBe(400);
  if (!line.request.startsWith('HEAD')) expect(answer.message, place).toBe(refusal);
}

describe('§5.4 every route', () => {
  const cases = roles.flatMap((role) =>
    (['own', 'world'] as const).flatMap((how) => levels.map((level) => ({ role, how, level }))),
  );

  it.each(cases)(
    'answers role $role with level $level by its $how entry as the table says',
    async ({ role, how, level }) => {
      const fixture = await makeFixture();
      await grant(fixture, how === 'own' ? 'jane' : worldUser, level);
      for (const line of accessTable) {
        expectAnswer(await askLine(line, fixture, as('jane', role)), line, refusalOf(line, role, level));
      }
    },
  );

  it.each(roles)('answers role %s without any entry as with NONE', async (role) => {
    const fixture = await makeFixture();
    for (const line of accessTable) {
      expectAnswer(await askLine(line, fixture, as('jane', role)), line, refusalOf(line, role, 'NONE'));
    }
  });

  it.each(levels)('answers a nonce of level %s as the table says of that level', async (level) => {
    const fixture = await makeFixture();
    // Of an owner without the role of an administrator, so that the map counts too.
    await grant(fixture, 'nina', 'UPDATE');
    const { result } = await client.send(`POST /actors/${fixture.actor}/nonces`, as('nina'), { json: { level } });
    for (const line of accessTable.filter(({ on }) => on === 'actor')) {
      const need = line.need === 'admin' ? 'UPDATE' : line.need;
      const tooLow = levels.indexOf(level) < levels.indexOf(need);
      const refusal = tooLow ? 'Nonce does not have sufficient permissions level.' : refusalOf(line, 'user', 'UPDATE');
      expectAnswer(await askLine(line, fixture, {}, result.id), line, refusal);
    }
  });

  it('answers a nonce of an administrator as an administrator', async () => {
    const { actor } = await makeFixture();
    const { result } = await client.send(`POST /actors/${actor}/nonces`, as('root', 'admin'), {
      json: { level: 'UPDATE' },
    });
    const asked = await client.send(`POST /actors/${actor}/workers?x-nonce=${result.id}`, {}, { json: { num: 1 } });
    expect(asked.message).toMatch(/^Scheduled 1 new worker|already had 1 worker/);
  });

  it('takes the larger of own and world', async () => {
    const fixture = await makeFixture();
    const { actor } = fixture;
    await grant(fixture, 'jane', 'NONE');
    await grant(fixture, worldUser, 'READ');
    expect((await client.send(`GET /actors/${actor}`, as('jane'))).status).toBe(200);
    await grant(fixture, worldUser, 'NONE');
    expect((await client.send(`GET /actors/${actor}`, as('jane'))).status).toBe(400);
  });

  it('is asked nothing with OPTIONS', async () => {
    const fixture = await makeFixture();
    for (const line of accessTable) {
      const path = line.request.replace(/^\w+/, 'OPTIONS');
      expect((await askLine({ ...line, request: path }, fixture, {})).status, path).toBe(200);
    }
  });

  it('that names no one thing is for any role, and for no nonce', async () => {
    const nonce = (await client.send(`POST /actors/${await client.register()}/nonces`, as('olga'))).result.id;
    for (const line of openTable) {
      for (const role of roles) {
        const answer = await client.send(line, as('jane', role));
        if (role === 'none') expect(answer.message).toBe('Not authorized -- missing required role.');
        else expect(answer.message, line).not.toMatch(gate);
      }
      const refused = line.includes('/search/')
        ? { status: 404, message: expect.stringMatching(/^A nonce cannot search/) }
        : { status: 400, message: 'Not authorized.' };
      expect(await client.send(`${line}?x-nonce=${nonce}`)).toMatchObject(refused);
      expect((await client.send(line)).message).toMatch(/^No JWT or nonce provided\./);
    }
  });

  it('that the path says is the administrators’ is for them alone, and for no nonce', async () => {
    const nonce = (await client.send(`POST /actors/${await client.register()}/nonces`, as('olga', 'admin'))).result.id;
    for (const line of adminTable) {
      for (const role of roles) {
        const answer = await client.send(line, as('jane', role));
        if (role === 'admin') expect(answer.status, answer.text).toBe(200);
        else if (role !== 'none') expect(answer).toMatchObject({ status: 400, message: 'Abaco Admin role required.' });
        else expect(answer.message).toBe('Not authorized -- missing required role.');
      }
      const shown = await client.send(`${line}?x-nonce=${nonce}`);
      expect(shown).toMatchObject({ status: 400, message: 'Not authorized.' });
    }
  });

  it('stands in the table', () => {
    const described = Object.entries(client.api.app.swagger().paths ?? {}).flatMap(([path, verbs]) =>
      Object.keys(verbs as object).map((verb) => `${verb.toUpperCase()} ${path}`),
    );
    const patterns = [...accessTable.map(({ request }) => request), ...openTable, ...adminTable].map(patternOf);
    const missing = described.filter((line) => line.includes(' /actors') && !patterns.includes(line));
    expect(missing).toEqual([]);
  });
});
