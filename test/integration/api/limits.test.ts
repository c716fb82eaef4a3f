/** Limits of users and tenants: told with their value and their setting, and when to come again. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, registerActor } from '../../support/api-requests.ts';
import { type ApiService, startApiService } from '../../support/api-service.ts';
import { programAvailable } from '../../support/program.ts';
import { requireService } from '../../support/services.ts';
import { claimsOf, makeTestKey, signToken } from '../../support/tokens.ts';

const keys = { PHYSICS: makeTestKey(), BIO: makeTestKey() };
type Tenant = keyof typeof keys;
const as = (user: string, tenant: Tenant) => ({
  headers: { [`x-jwt-assertion-${tenant}`]: signToken(keys[tenant].privateKey, { claims: claimsOf(user) }) },
});
const image = { image: 'debian' };

describe.runIf(requireService('redis', await programAvailable('redis-server')))('limits', () => {
  let api: ApiService;
  beforeAll(async () => {
    api = await startApiService({
      siteFile: `
[tenants.PHYSICS]
public_key = """${keys.PHYSICS.publicPem}"""
[tenants.BIO]
public_key = """${keys.BIO.publicPem}"""
[tenants.DEV]
mode = "none"
[messages]
max_waiting = 2
[limits]
requests_per_user = 10
requests_per_tenant = 25
actors_per_user = 2
actors_per_tenant = 3
`,
    });
  });
  afterAll(async () => await api?.[Symbol.asyncDispose]());

  it('let a user send a number of requests a minute, also where many come at once and to several processes', async () => {
    const other = api.another({});
    const apps = Array.from({ length: 14 }, (_, index) => (index % 2 === 0 ? api.app : other));
    const answers = await Promise.all(apps.map((app) => ask(app, 'GET /actors', as('jane', 'PHYSICS'))));
    const refused = answers.filter(({ status }) => status === 429);
    expect([answers.filter(({ status }) => status === 200).length, refused.length]).toEqual([10, 4]);
    const after = Number(refused[0]?.headers['retry-after']);
    expect(after).toBeGreaterThanOrEqual(1);
    expect(after).toBeLessThanOrEqual(6);
    expect(refused[0]?.message).toBe(
      `User "jane" has sent 10 requests within a minute, the limit of limits.requests_per_user; send again in ${after} s`,
    );
  });

  it('leave others alone until the tenant has sent all of its own', async () => {
    const send = async (user: string) => await ask(api.app, 'GET /actors', as(user, 'PHYSICS'));
    for (let count = 0; count < 10; count += 1) expect((await send('joe')).status).toBe(200);
    const answers = [];
    for (let count = 0; count < 8; count += 1) answers.push(await send('jim'));
    const refused = answers.find(({ status }) => status === 429);
    expect(refused?.message).toMatch(/^Tenant "PHYSICS" has sent 25 requests within a minute, .*requests_per_tenant/);
    expect((await ask(api.app, 'GET /actors', as('jane', 'BIO'))).status).toBe(200);
    expect((await ask(api.app, 'GET /health/live')).status).toBe(200);
  });

  it('hold the actors of a user and of a tenant, of which one that is deleted is none', async () => {
    const register = async (user: string) => await ask(api.app, 'POST /actors', { json: image, ...as(user, 'BIO') });
    const both = await Promise.all([register('ann'), register('ann'), register('ann')]);
    expect(both.map(({ status }) => status).toSorted((one, other) => one - other)).toEqual([200, 200, 429]);
    expect(both.find(({ status }) => status === 429)?.message).toBe(
      'User "ann" has 2 actors, the limit of limits.actors_per_user; delete some that are not needed',
    );
    expect((await register('bob')).status).toBe(200);
    expect((await register('eve')).message).toMatch(
      /^Tenant "BIO" has 3 actors, the limit of limits.actors_per_tenant/,
    );
    const id = String(both.find(({ status }) => status === 200)?.result.id);
    expect((await ask(api.app, `DELETE /actors/${id}`, as('ann', 'BIO'))).status).toBe(200);
    await api.services.actors.forget({ tenant: 'BIO', actorId: id });
    expect((await register('ann')).status).toBe(200);
  });

  it('hold the messages that wait for an actor', async () => {
    const actorId = await registerActor(api);
    const post = async () => await ask(api.app, `POST /actors/${actorId}/messages`, { json: { message: 'm' } });
    expect([(await post()).status, (await post()).status]).toEqual([200, 200]);
    const { status, message, headers } = await post();
    expect([status, headers['retry-after']]).toEqual([429, '5']);
    expect(message).toContain('2 messages wait, the limit of messages.max_waiting');
  });
});
