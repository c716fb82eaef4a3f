/**
 * §5.2: ids of one tenant are unknown in another. Each route of the access table is asked with what another tenant has
 * and with what nobody has: both answers are the same, to a user and to an administrator, and over there nothing has
 * changed, though everybody there may do everything with it.
 */

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createNonceId } from '../../src/auth/nonce.ts';
import { worldUser } from '../../src/auth/permission.ts';
import { as, type Client, type RoleName, roleNames, startClient } from '../support/abaco-client.ts';
import { type Answer, askUntilComplete } from '../support/api-requests.ts';
import { type PlayedExecution, takeMessage } from '../support/api-worker.ts';
import { claimsOf, makeTestKey, signToken } from '../support/tokens.ts';
import { accessTable, type Line, type Names, requestOf } from './access-table.ts';

const chemistryKey = makeTestKey();

/** Headers of a user of the tenant CHEMISTRY. Its users are called as those of PHYSICS are. */
function asChemist(user: string, role: RoleName = 'user'): Readonly<Record<string, string>> {
  const claims = claimsOf(user, { 'http://wso2.org/claims/role': roleNames[role] });
  return { 'x-jwt-assertion-chemistry': signToken(chemistryKey.privateKey, { claims }) };
}

let client: Client;
let theirs: Things;
let played: PlayedExecution;
let before: unknown;

beforeAll(async () => {
  client = await startClient(`[tenants.CHEMISTRY]\npublic_key = """${chemistryKey.publicPem}"""\n`);
});

afterAll(async () => {
  await client[Symbol.asyncDispose]();
});

beforeEach(async () => {
  theirs = await makeThings('PHYSICS', as('olga', 'admin'));
  const actor = { tenant: 'PHYSICS', actorId: theirs.actor };
  await client.api.services.actors.markReady(actor, 1, `sha256:${'0'.repeat(64)}`);
  played = await takeMessage(client.api, theirs.actor, 'PHYSICS');
  await played.start();
  await played.results('of PHYSICS');
  before = await lookAtTheirs();
});

type Things = Required<Names>;

/** An actor with all that belongs to it, with which everybody of the tenant may do everything. */
async function makeThings(tenant: 'PHYSICS' | 'CHEMISTRY', who: Readonly<Record<string, string>>): Promise<Things> {
  const send = async (line: string, json: object) => {
    const answer = await client.send(line, who, { json });
    expect(answer.status, answer.text).toBe(200);
    return answer.result;
  };
  const actor = String((await send('POST /actors', { image: 'debian', stateless: false })).id);
  const { ids } = client.api.services;
  const [alias, config] = [`alias-${ids.next()}`, `config-${ids.next()}`];
  await send('POST /actors/aliases', { alias, actor_id: actor });
  await send('POST /actors/configs', { name: config, value: `of ${tenant}`, is_secret: false, actors: actor });
  for (const path of [actor, `aliases/${alias}`, `configs/${config}`]) {
    await send(`POST /actors/${path}/permissions`, { user: worldUser, level: 'UPDATE' });
  }
  const nonce = String((await send(`POST /actors/${actor}/nonces`, { level: 'UPDATE' })).id);
  await send(`POST /actors/${actor}/state`, { of: tenant });
  const execution = String((await send(`POST /actors/${actor}/messages`, { message: 'm' })).execution_id);
  const now = new Date();
  const place = { image: 'x', hostId: 'h', location: 'l', createTime: now, lastHealthCheckTime: now };
  const worker = { ...place, tenant, actorId: actor, id: ids.next(), status: 'busy' } as const;
  await client.api.services.workers.save(worker);
  return { actor, alias, config, nonce, execution, worker: worker.id };
}

/** What nobody has. */
function nothing(tenant: string): Things {
  const { ids } = client.api.services;
  const [alias, config] = [`alias-${ids.next()}`, `config-${ids.next()}`];
  const nonce = createNonceId(tenant);
  return { actor: ids.next(), alias, config, nonce, execution: ids.next(), worker: ids.next() };
}

/** All that requests could have changed. */
async function lookAtTheirs(): Promise<unknown> {
  const { actor, alias, config, execution, worker } = theirs;
  const paths = ['', '/state', '/messages', '/permissions', '/nonces', '/workers', `/workers/${worker}`].map(
    (path) => `${actor}${path}`,
  );
  const named = [`aliases/${alias}`, `configs/${config}`].flatMap((path) => [path, `${path}/permissions`]);
  const looks = [...paths, ...named, `aliases/${alias}/nonces`].map(
    async (path) => (await client.send(`GET /actors/${path}`, as('olga', 'admin'))).result,
  );
  const { status } = (await client.send(`GET /actors/${actor}/executions/${execution}`, as('olga'))).result;
  const stopping = await client.api.services.workers.stopRequested({ tenant: 'PHYSICS', actorId: actor });
  return { status, stopping: [...stopping], found: await Promise.all(looks) };
}

async function askLine(line: Line, things: Things, who: Readonly<Record<string, string>>): Promise<Answer> {
  return await client.send(requestOf(line, things), who, line.question);
}

/** Status, type and text, with the ids that were asked for blackened. */
function blackened({ status, headers, text }: Answer, things: Things): object {
  const shown = Object.values(things).reduce((rest, id) => rest.replaceAll(id, '*'), text);
  return { status, type: headers['content-type'], length: shown.length, shown };
}

async function expectSame(line: Line, foreign: Things, none: Things, who: Readonly<Record<string, string>>) {
  const answers = [await askLine(line, foreign, who), await askLine(line, none, who)] as const;
  expect(blackened(answers[0], foreign), line.request).toEqual(blackened(answers[1], none));
  return answers[0];
}

const chemists = [
  ['a user', 'user'],
  ['an administrator', 'admin'],
] as const;

describe('§5.2 what another tenant has', () => {
  it.each(chemists)('is as unknown to %s as what nobody has, on every route', async (_who, role) => {
    for (const line of accessTable) {
      const answer = await expectSame(line, theirs, nothing('PHYSICS'), asChemist('olga', role));
      expect(answer.status, `${line.request}: ${answer.text}`).toBeGreaterThanOrEqual(400);
    }
    expect(await lookAtTheirs()).toEqual(before);
  });

  it.each(chemists)('is as unknown to %s below an actor, an alias and a config of their own', async (_who, role) => {
    const own = await makeThings('CHEMISTRY', asChemist('olga', 'admin'));
    const below = accessTable.filter(({ request }) => /RrRrRr|\/N$/.test(request));
    expect(below).toHaveLength(11);
    for (const line of below) {
      const [foreign, none] = [theirs, nothing('PHYSICS')].map(({ nonce, execution, worker }) => ({
        ...own,
        nonce,
        execution,
        worker,
      })) as [Things, Things];
      const answer = await expectSame(line, foreign, none, asChemist('olga', role));
      expect(answer.text, line.request).not.toContain('PHYSICS');
    }
    expect(await lookAtTheirs()).toEqual(before);
    const result = await client.send(`GET /actors/${theirs.actor}/executions/${theirs.execution}/results`, as('olga'));
    expect(result.text).toBe('of PHYSICS');
  });

  it.each([
    ['written with its tenant', ({ actor }: Things) => `PHYSICS_${actor}`],
    ['behind a name of theirs', ({ alias }: Things) => alias],
  ])('is as unknown by an id %s', async (_how, nameOf) => {
    for (const line of accessTable.filter(({ request }) => request.includes('/A'))) {
      const [foreign, none] = [theirs, nothing('PHYSICS')].map((things) => ({ ...things, actor: nameOf(things) })) as [
        Things,
        Things,
      ];
      expect((await expectSame(line, foreign, none, asChemist('olga', 'admin'))).status).toBeGreaterThanOrEqual(400);
    }
    expect(await lookAtTheirs()).toEqual(before);
  });

  it('cannot be named in what is sent', async () => {
    const own = await makeThings('CHEMISTRY', asChemist('olga'));
    const config = { value: 'v', is_secret: false };
    const sent: readonly (readonly [string, (things: Things) => object])[] = [
      ['POST /actors/aliases', ({ actor }) => ({ alias: 'to-theirs', actor_id: actor })],
      [`PUT /actors/aliases/${own.alias}`, ({ actor }) => ({ actor_id: actor })],
      ['POST /actors/configs', ({ actor }) => ({ ...config, name: 'for-theirs', actors: actor })],
      ['POST /actors/configs', ({ alias }) => ({ ...config, name: 'for-theirs', actors: alias })],
      [`PUT /actors/configs/${own.config}`, ({ actor }) => ({ ...config, actors: `${own.actor},${actor}` })],
      ['POST /actors', ({ actor }) => ({ image: 'debian', link: actor })],
      ['POST /actors', ({ alias }) => ({ image: 'debian', link: alias })],
      [`PUT /actors/${own.actor}`, ({ actor }) => ({ image: 'debian', stateless: false, link: actor })],
    ];
    for (const [request, questionOf] of sent) {
      const [foreign, none] = [theirs, nothing('PHYSICS')] as const;
      const who = asChemist('olga', 'admin');
      const answer = await client.send(request, who, { json: questionOf(foreign) });
      expect(answer.status, answer.text).toBeGreaterThanOrEqual(400);
      const unknown = await client.send(request, who, { json: questionOf(none) });
      expect(blackened(answer, foreign), request).toEqual(blackened(unknown, none));
    }
    expect(await lookAtTheirs()).toEqual(before);
  });

  it('is in no listing and found by no search', async () => {
    await played.end({ log: 'of PHYSICS' });
    const { actor, alias, execution } = theirs;
    const searches = ['actors', 'executions', 'workers', 'logs'].flatMap((kind) =>
      ['', `actor_id=${actor}`, `actor_id=PHYSICS_${actor}`, `id=${actor}`, 'tenant=PHYSICS', 'search=PHYSICS'].map(
        (query) => `search/${kind}?limit=1000&${query}`,
      ),
    );
    for (const kind of ['actors', 'executions', 'workers', 'logs']) {
      const line = `GET /actors/search/${kind}?limit=1000`;
      const own = await askUntilComplete(client.api.app, line, { headers: as('olga', 'admin') });
      expect(own.text, 'over there it is found').toContain(actor);
    }
    for (const [, role] of chemists) {
      const headers = asChemist('olga', role);
      for (const path of ['', 'aliases', 'configs', 'executions', ...searches]) {
        const answer = await askUntilComplete(client.api.app, `GET /actors/${path}`.replace(/\/$/, ''), { headers });
        expect(answer.status, path).toBe(200);
        for (const text of Object.values(theirs)) expect(answer.text, path).not.toContain(text);
        expect(answer.text, path).not.toContain('PHYSICS');
      }
      for (const name of [actor, alias]) {
        const answer = await client.send(`GET /actors/executions?actor=${name}`, headers);
        expect(answer.status).toBeGreaterThanOrEqual(400);
        expect(answer.text).not.toContain(execution);
      }
    }
  });
});

describe('§5.2 a credential of another tenant', () => {
  it('that is a nonce opens nothing but what it was made of, whichever tenant the request names', async () => {
    const own = await makeThings('CHEMISTRY', asChemist('olga'));
    const post = async (actor: string, nonce: string, headers: Readonly<Record<string, string>>) =>
      await client.send(`POST /actors/${actor}/messages?x-nonce=${nonce}`, headers, { json: { message: 'm' } });
    const hash = theirs.nonce.slice(theirs.nonce.lastIndexOf('_') + 1);
    const unknown = { status: 400, message: 'Nonce does not exist.' };
    for (const headers of [
      {},
      { tenant: 'CHEMISTRY' },
      { tenant: 'PHYSICS' },
      { 'x-jwt-assertion-chemistry': 'a.b.c' },
    ]) {
      expect(await post(own.actor, theirs.nonce, headers)).toMatchObject(unknown);
      for (const forged of [`CHEMISTRY_${hash}`, `physics_${hash}`, `PHYSICS_CHEMISTRY_${hash}`, hash]) {
        expect((await post(own.actor, forged, headers)).message).toMatch(/^(Nonce does not exist\.|No JWT or nonce)/);
        expect((await post(theirs.actor, forged, headers)).message).toMatch(/^(Nonce does not exist|No JWT or nonce)/);
      }
    }
    expect(await lookAtTheirs()).toEqual(before);
    expect((await client.send(`GET /actors/${own.actor}/messages`, asChemist('olga'))).result.messages).toBe(1);
  });

  it('that is a nonce of an alias leads to the actor of its own tenant, where both have the name', async () => {
    const own = await makeThings('CHEMISTRY', asChemist('olga'));
    const alias = 'both';
    await client.send('POST /actors/aliases', as('olga'), { json: { alias, actor_id: theirs.actor } });
    await client.send('POST /actors/aliases', asChemist('olga'), { json: { alias, actor_id: own.actor } });
    const { result } = await client.send(`POST /actors/aliases/${alias}/nonces`, as('olga'));
    const path = `/actors/${alias}/messages?x-nonce=${result.id}`;
    expect((await client.send(`POST ${path}`, { tenant: 'CHEMISTRY' }, { json: { message: 'm' } })).status).toBe(200);
    const { mailbox } = client.api.services;
    expect(await mailbox.depth({ tenant: 'PHYSICS', actorId: theirs.actor })).toBe(1);
    expect(await mailbox.depth({ tenant: 'CHEMISTRY', actorId: own.actor })).toBe(1);
  });

  it('that is the token of an execution knows nothing of this one', async () => {
    const own = await makeThings('CHEMISTRY', asChemist('olga'));
    const message = await client.send(`POST /actors/${theirs.actor}/messages`, as('olga'), { json: { message: 'm' } });
    expect(message.status).toBe(200);
    await played.end();
    const running = await takeMessage(client.api, theirs.actor, 'PHYSICS');
    const who = { authorization: `Bearer ${await running.start()}`, tenant: 'CHEMISTRY' };
    expect((await client.send(`GET /actors/${theirs.actor}`, who)).status).toBe(200);
    for (const line of accessTable) {
      const answer = await expectSame(line, own, nothing('CHEMISTRY'), who);
      expect(answer.status, `${line.request}: ${answer.text}`).toBeGreaterThanOrEqual(400);
    }
    expect((await client.send(`GET /actors/${own.actor}`, asChemist('olga'))).status).toBe(200);
  });

  it('that is a token of its users is none for this one', async () => {
    const own = await makeThings('CHEMISTRY', asChemist('olga', 'admin'));
    const foreign = as('olga', 'admin')['x-jwt-assertion-physics'] ?? '';
    for (const line of accessTable) {
      const answer = await askLine(line, own, { 'x-jwt-assertion-chemistry': foreign });
      expect(answer.status, line.request).toBe(400);
      if (!line.request.startsWith('HEAD')) expect(answer.message, line.request).toMatch(/^No JWT or nonce provided\./);
    }
  });
});
