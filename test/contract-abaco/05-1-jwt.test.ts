/**
 * §§5.1–5.3, 5.5: tokens, tenants, roles, restricted attributes.
 *
 * Not as the original: the header `Assertion` is of `auth.default_tenant`, not of a fixed `dev_staging`; a token has to
 * say when it expires; `ALL` is nobody's role to claim; who has it makes no `privileged` actor unless
 * `auth.anonymous_privileged` says so, and is no page of elsewhere (403), as a page would be root of the machine. Not here: that `web.show_traceback` shows exceptions, which this
 * server never does; the queue, which `[queues]` may open to every user (`test/unit/api/restricted-attributes.test.ts`);
 * that a state document with the name of a restricted attribute is refused, which no client relies on.
 */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { as, type Client, physicsKey, roleNames, startClient } from '../support/abaco-client.ts';
import { listenOnLoopback } from '../support/api-socket.ts';
import { claimsOf, makeTestKey, signToken } from '../support/tokens.ts';

let client: Client;
const gateway = 'https://api.tacc.utexas.edu';

beforeAll(async () => {
  client = await startClient(`
[tenants.OPEN]
mode = "none"
[tenants.DEV-DEVELOP]
development_key = """${makeTestKey().privatePem}"""
[tenants.TACC-PROD]
mode = "none"
api_server = "${gateway}/"
case = "camel"
`);
});

afterAll(async () => {
  await client[Symbol.asyncDispose]();
});

const token = (claims: object, more: object = {}) => signToken(physicsKey.privateKey, { claims, ...more });
const ownerOf = async (headers: Record<string, string>) =>
  (await client.send('POST /actors', headers, { json: { image: 'debian' } })).result?.owner as string | undefined;
const header = (jwt: string) => ({ 'x-jwt-assertion-physics': jwt });

describe('§5.1 a token', () => {
  it('is read from the header whose name ends with its tenant, in any letter case', async () => {
    for (const name of ['X-Jwt-Assertion-PHYSICS', 'x-jwt-assertion-physics', 'X-JWT-ASSERTION-Physics']) {
      expect(await ownerOf({ [name]: token(claimsOf('jane')) }), name).toBe('jane');
    }
  });

  it('is read from the header Assertion where there is no such header', async () => {
    expect(await ownerOf({ assertion: token(claimsOf('jane')) })).toBe('jane');
  });

  it.each(['RS256', 'SHA256withRSA'])('is signed with %s', async (alg) => {
    expect(await ownerOf(header(token(claimsOf('jane'), { header: { alg, typ: 'JWT' } })))).toBe('jane');
  });

  it.each(['HS256', 'none', 'RS512'])('is not signed with %s', async (alg) => {
    expect(await ownerOf(header(token(claimsOf('jane'), { header: { alg } })))).toBeUndefined();
  });

  it('may be written in standard base64 with padding, as WSO2 does', async () => {
    // Until one has the characters that only standard base64 uses.
    const jwts = Array.from({ length: 40 }, (_, n) => token(claimsOf('jané', { n }), { encoding: 'base64' }));
    expect(jwts.some((jwt) => /[+/]/.test(jwt) && jwt.includes('='))).toBe(true);
    for (const jwt of jwts.slice(0, 5)) expect(await ownerOf(header(jwt))).toBe('jané');
  });

  it('may end with the junk that stored ones end with', async () => {
    expect(await ownerOf(header(`${token(claimsOf('jane'))}[\\r][\\n]`))).toBe('jane');
  });

  it('may have 8 KiB in a head of 16 KiB', async () => {
    const port = await listenOnLoopback(client.api.app);
    const jwt = token(claimsOf('jane', { roles: 'r'.repeat(6_000) }));
    expect(jwt.length).toBeGreaterThan(8_192);
    const headers = { ...header(jwt), 'x-more': 'm'.repeat(16_384 - jwt.length) };
    const response = await fetch(`http://127.0.0.1:${port}/actors`, { headers });
    expect(response.status).toBe(200);
  });

  it('names its user up to the first @', async () => {
    expect(await ownerOf(header(token(claimsOf('jane@carbon.super@x'))))).toBe('jane');
  });

  it('without a user, of a user called like everybody, or expired is refused with 400', async () => {
    for (const claims of [
      claimsOf(''),
      claimsOf('@x'),
      claimsOf('ABACO_WORLD'),
      claimsOf('jane', { exp: 1 }),
      { exp: 9e9 },
    ]) {
      const answer = await client.send('GET /actors', header(token(claims)));
      expect(answer.status).toBe(400);
      expect(answer.message).toMatch(/^No JWT or nonce provided\./);
    }
  });

  it('that is refused is never repeated whole', async () => {
    const jwt = token(claimsOf('jane', { exp: 1 }));
    const { text } = await client.send('GET /actors', header(jwt));
    for (const part of jwt.split('.')) expect(text).not.toContain(part);
  });

  it('that counts milliseconds is checked, or never expires where compat.jwt_millisecond_expiry = "ignore"', async () => {
    const old = header(token(claimsOf('jane', { exp: Date.now() - 1_000 })));
    expect((await client.send('GET /actors', old)).status).toBe(400);
    expect(
      (await client.send('GET /actors', header(token(claimsOf('jane', { exp: Date.now() + 60_000 }))))).status,
    ).toBe(200);
    await using lenient = await startClient('', { settings: { ABACO_COMPAT_JWT_MILLISECOND_EXPIRY: 'ignore' } });
    expect((await lenient.send('GET /actors', old)).status).toBe(200);
  });

  it('without roles has those that everybody is assumed to have', async () => {
    expect(await ownerOf(header(token(claimsOf('jane'))))).toBe('jane');
  });

  it('missing altogether is 400', async () => {
    expect((await client.send('GET /actors')).message).toMatch(/^No JWT or nonce provided\./);
  });
});

describe('§5.2 a tenant', () => {
  it('with mode none takes everyone as anonymous, who may do everything', async () => {
    const open = { tenant: 'OPEN' };
    const json = { image: 'debian', mem_limit: '1g', max_workers: 3 };
    const { result } = await client.send('POST /actors', open, { json });
    expect(result).toMatchObject({ owner: 'anonymous', mem_limit: '1g' });
    const workers = await client.send(`POST /actors/${result.id}/workers`, open, { json: { num: 2 } });
    expect(workers.status).toBe(200);
  });

  it('with mode none makes no privileged actor where auth.anonymous_privileged does not say so', async () => {
    const json = { image: 'debian', privileged: true };
    const refused = await client.send('POST /actors', { tenant: 'OPEN' }, { json });
    expect(refused.status).toBe(400);
    expect(refused.message).toMatch(
      /^Not authorized -- only admins and privileged users can make privileged actors\. .*auth\.anonymous_privileged/,
    );
    await using lenient = await startClient('[tenants.OPEN]\nmode = "none"\n', {
      settings: { ABACO_AUTH_ANONYMOUS_PRIVILEGED: 'true' },
    });
    const { result } = await lenient.send('POST /actors', { tenant: 'OPEN' }, { json });
    expect(result).toMatchObject({ owner: 'anonymous', privileged: true });
  });

  it.each([{ origin: 'https://evil.example' }, { origin: 'null' }, { host: 'evil.example' }])(
    'with mode none takes nothing from a page that is not of this machine, nor tells it anything: %j',
    async (page) => {
      const refused = await client.send('GET /actors', { tenant: 'OPEN', ...page });
      expect(refused.status).toBe(403);
      expect(refused.message).toMatch(/is refused: no token is asked for here/);
      expect(Object.keys(refused.headers).join()).not.toContain('access-control');
      const allowed = await client.send('GET /actors', { ...as('olga'), ...page });
      expect([allowed.status, allowed.headers['access-control-allow-origin']]).toEqual([200, '*']);
    },
  );

  it('may have links and a letter case of its own', async () => {
    const { result } = await client.send(
      'POST /actors',
      { tenant: 'TACC-PROD' },
      { json: { image: 'debian', log_ex: 60 } },
    );
    expect(result._links.self).toBe(`${gateway}/actors/v2/${result.id}`);
    expect(result._links.owner).toBe(`${gateway}/profiles/v2/anonymous`);
    expect(result).toMatchObject({ logEx: 60, statusMessage: '' });
    expect(result).not.toHaveProperty('memLimit');
    const nonce = await client.send(`POST /actors/${result.id}/nonces`, { tenant: 'TACC-PROD' });
    expect(nonce.result).toMatchObject({ apiServer: gateway, maxUses: -1, lastUseTime: 'None' });
    const other = await client.send('POST /actors', { tenant: 'OPEN' }, { json: { image: 'debian' } });
    expect(other.result).toHaveProperty('mem_limit', null);
    expect(other.result._links.self).not.toContain(gateway);
  });

  it('may give roles to those whose token tells none', async () => {
    await using generous = await startClient('default_roles = "Internal/everyone, Internal/abaco-admin, ALL"\n');
    const bare = header(token(claimsOf('jane')));
    const { result } = await generous.send('POST /actors', bare, { json: { image: 'debian', max_workers: 2 } });
    expect(result.max_workers).toBe(2);
    const told = await generous.send('POST /actors', as('jane'), { json: { image: 'debian', max_workers: 2 } });
    expect(told.status).toBe(400);
  });

  it('that is none of the installation is refused', async () => {
    for (const name of ['X-Jwt-Assertion-NOWHERE', 'tenant']) {
      const value = name === 'tenant' ? 'NOWHERE' : token(claimsOf('jane'));
      expect((await client.send('GET /actors', { [name]: value })).status).toBe(400);
    }
  });

  it('does not take the token of another', async () => {
    const answer = await client.send('GET /actors', { 'x-jwt-assertion-dev-develop': token(claimsOf('jane')) });
    expect(answer.status).toBe(400);
  });

  it('partitions actors: those of one are unknown in another', async () => {
    const actor = await client.register();
    expect((await client.send(`GET /actors/${actor}`, { tenant: 'OPEN' })).status).toBe(404);
  });
});

describe('§5.3 a role', () => {
  it.each(['limited', 'user', 'privileged', 'admin'] as const)('lets in: %s', async (role) => {
    expect((await client.send('GET /actors', as('jane', role))).status).toBe(200);
  });

  it('is needed', async () => {
    const answer = await client.send('GET /actors', as('jane', 'none'));
    expect(answer).toMatchObject({ status: 400, message: 'Not authorized -- missing required role.' });
  });

  it('ALL is nobody’s to claim', async () => {
    const roles = { 'http://wso2.org/claims/role': 'Internal/everyone,ALL' };
    const json = { image: 'debian', privileged: true };
    const answer = await client.send('POST /actors', header(token(claimsOf('jane', roles))), { json });
    expect(answer.status).toBe(400);
  });

  it('of base access is configurable', async () => {
    await using other = await startClient('', { settings: { ABACO_AUTH_USER_ROLE: 'Internal/abaco-user' } });
    expect((await other.send('GET /actors', as('jane'))).status).toBe(400);
    const claims = claimsOf('jane', { 'http://wso2.org/claims/role': `x,${roleNames.user},Internal/abaco-user` });
    expect((await other.send('GET /actors', header(token(claims)))).status).toBe(200);
  });
});

describe('§5.5 a restricted attribute', () => {
  const attributes = [
    ['privileged', true, 'make privileged actors'],
    ['max_workers', 2, 'set max workers'],
    ['maxWorkers', '2', 'set max workers'],
    ['max_cpus', 1_000_000_000, 'set max CPUs'],
    ['mem_limit', '1g', 'set mem limit'],
    ['use_container_uid', 'true', 'use container uid'],
  ] as const;

  it.each(attributes)(
    '%s is not for ordinary users, at POST and PUT, in JSON and forms',
    async (name, value, doing) => {
      const message = `Not authorized -- only admins and privileged users can ${doing}.`;
      const actor = await client.register();
      const question = { json: { image: 'debian', [name]: value } };
      for (const line of ['POST /actors', `PUT /actors/${actor}`]) {
        expect(await client.send(line, as('olga'), question)).toMatchObject({ status: 400, message });
        const form = `image=debian&${name}=${value}`;
        expect(await client.send(line, as('olga'), { form })).toMatchObject({ status: 400, message });
        expect((await client.send(line, as('olga', 'privileged'), question)).status).toBe(200);
      }
    },
  );

  it.each(['uid', 'gid', 'tasdir', 'status', 'cron_next_ex', 'state', 'executions', 'owner', 'revision'])(
    'of the server is passed over: %s',
    async (name) => {
      const json = { image: 'debian', [name]: '4711' };
      const { status, result } = await client.send('POST /actors', as('olga'), { json });
      expect(status).toBe(200);
      expect(result[name]).not.toBe('4711');
    },
  );
});
