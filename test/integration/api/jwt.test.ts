/** Tenants that ask for a token: who is who, and whose is what (contract §5). */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask } from '../../support/api-requests.ts';
import { type ApiService, startApiService } from '../../support/api-service.ts';
import { takeMessage } from '../../support/api-worker.ts';
import { claimsOf, makeTestKey, signToken } from '../../support/tokens.ts';

const physics = makeTestKey();
const biology = makeTestKey();
let api: ApiService;

beforeAll(async () => {
  const bare = biology.publicPem.replaceAll(/-----.*-----|\s/g, '');
  api = await startApiService({
    siteFile: `
[auth]
default_tenant = "PHYSICS"
[tenants.PHYSICS]
public_key = """${physics.publicPem}"""
[tenants."BIO.LAB"]
mode = "jwt"
public_key = "${bare}"
[tenants.OPEN]
mode = "none"
[queues.urgent]
launcher = "local"
[queues.physics]
who = "user"
tenants = ["PHYSICS"]
`,
  });
});

afterAll(async () => {
  await api[Symbol.asyncDispose]();
});

const tokenOf = (user: string, more: object = {}) => signToken(physics.privateKey, { claims: claimsOf(user, more) });
const bearer = (user: string, more: object = {}) => ({ authorization: `Bearer ${tokenOf(user, more)}` });
const admin = { 'http://wso2.org/claims/role': 'Internal/everyone,Internal/abaco-admin' };
const image = { image: 'debian' };

describe('a tenant with mode jwt', () => {
  it.each([
    ['a bearer token', () => bearer('jane'), 'jane'],
    ['the header of its gateway', () => ({ 'X-Jwt-Assertion-PHYSICS': tokenOf('jane@carbon.super') }), 'jane'],
    ['that header in other letters', () => ({ 'x-jwt-assertion-Physics': tokenOf('joe') }), 'joe'],
    ['the header Assertion', () => ({ assertion: tokenOf('joe') }), 'joe'],
  ])('takes %s; the owner is its user', async (_how, headers, owner) => {
    const answer = await ask(api.app, 'POST /actors', { json: image, headers: headers() });
    expect(answer).toMatchObject({ status: 200, result: { owner } });
  });

  it.each([
    ['nothing', {}, 'Send one as "X-Jwt-Assertion-PHYSICS" or as a bearer token'],
    ['a word', { authorization: 'Bearer letmein' }, 'is refused: it is not three parts of base64'],
    ['a password', { authorization: 'Basic amFuZTpqYW5l' }, 'Send one as'],
    [
      "another tenant's token",
      { authorization: `Bearer ${signToken(biology.privateKey, { claims: claimsOf('jane') })}` },
      "is refused: its signature is not by the tenant's key",
    ],
    ['a tenant that is not there', { tenant: 'CHEMISTRY' }, 'Tenant "CHEMISTRY" is none of this installation'],
  ])('shown %s answers 400 in the words of the contract, and the reason', async (_what, headers, why) => {
    const answer = await ask(api.app, 'GET /actors', { headers });
    expect(answer.status).toBe(400);
    expect(answer.message).toMatch(/^No JWT or nonce provided\. /);
    expect(answer.message).toContain(why);
  });

  it('refuses a user without a role that lets in', async () => {
    const answer = await ask(api.app, 'GET /actors', {
      headers: bearer('jane', { 'http://wso2.org/claims/role': 'Other/role' }),
    });
    expect(answer).toMatchObject({ status: 400, message: 'Not authorized -- missing required role.' });
  });

  it('shows an actor to its owner and to the administrator, and to nobody else', async () => {
    const { result } = await ask(api.app, 'POST /actors', { json: image, headers: bearer('ann') });
    const path = `/actors/${result.id}`;
    const listed = async (headers: Record<string, string>) => {
      const { result: actors } = await ask(api.app, 'GET /actors', { headers });
      return (actors as { id: string }[]).some(({ id }) => id === result.id);
    };
    expect(await listed(bearer('ann'))).toBe(true);
    expect(await listed(bearer('bob'))).toBe(false);
    for (const request of [
      `GET ${path}`,
      `DELETE ${path}`,
      `GET ${path}/messages`,
      `GET ${path}/executions`,
      `POST ${path}/messages`,
    ] as const) {
      const body = request.startsWith('POST') ? { json: { message: 'hello' } } : {};
      const refused = await ask(api.app, request, { ...body, headers: bearer('bob') });
      expect(refused, request).toMatchObject({
        status: 400,
        message: 'Not authorized -- you do not have access to this actor.',
      });
    }
    expect(await ask(api.app, `GET ${path}`, { headers: bearer('root', admin) })).toMatchObject({ status: 200 });
    const sent = await ask(api.app, `POST ${path}/messages`, { json: { message: 'hello' }, headers: bearer('ann') });
    expect(sent.status).toBe(200);
    expect(await api.services.mailbox.depth({ tenant: 'PHYSICS', actorId: String(result.id) })).toBe(1);
  });

  it('does not know the actors of another tenant', async () => {
    const { result } = await ask(api.app, 'POST /actors', { json: image, headers: bearer('jane') });
    const headers = { 'X-Jwt-Assertion-BIO.LAB': signToken(biology.privateKey, { claims: claimsOf('jane', admin) }) };
    expect(await ask(api.app, `GET /actors/${result.id}`, { headers })).toMatchObject({ status: 404 });
  });

  it('lets ordinary users into the queues that are theirs', async () => {
    const refused = await ask(api.app, 'POST /actors', {
      json: { ...image, queue: 'urgent' },
      headers: bearer('jane'),
    });
    expect(refused).toMatchObject({
      status: 400,
      message: 'Not authorized -- only admins and privileged users can set queue.',
    });
    const taken = await ask(api.app, 'POST /actors', {
      json: { ...image, queue: 'urgent' },
      headers: bearer('root', admin),
    });
    expect(taken.status).toBe(200);
  });

  it('lets users into the queues of their tenant, and administrators of others not', async () => {
    const json = { ...image, queue: 'physics' };
    const own = await ask(api.app, 'POST /actors', { json, headers: bearer('jane') });
    expect(own.status).toBe(200);
    const headers = { 'X-Jwt-Assertion-BIO.LAB': signToken(biology.privateKey, { claims: claimsOf('ann', admin) }) };
    const refused = await ask(api.app, 'POST /actors', { json, headers });
    expect(refused).toMatchObject({
      status: 400,
      message:
        'Not authorized -- only users of other tenants can set queue. Tenant "BIO.LAB" has the queues default, urgent',
    });
    const { result } = await ask(api.app, 'POST /actors', { json: image, headers });
    expect(await ask(api.app, `PUT /actors/${result.id}`, { json, headers })).toMatchObject({ status: 400 });
  });

  it('tells a program which header brought the token, as the contract has it', async () => {
    const headers = { 'x-jwt-assertion-physics': tokenOf('jane') };
    const { result } = await ask(api.app, 'POST /actors', { json: image, headers });
    const sent = await ask(api.app, `POST /actors/${result.id}/messages`, { json: { message: 'hello' }, headers });
    await api.services.actors.markReady({ tenant: 'PHYSICS', actorId: String(result.id) }, 1, 'sha256:0');
    const { id, claimed } = await takeMessage(api, String(result.id), 'PHYSICS');
    expect(id).toBe(sent.result.execution_id);
    expect(claimed.message).toMatchObject({ executor: 'jane', jwtHeaderName: 'X-Jwt-Assertion-Physics' });
  });
});

describe('a tenant with mode none', () => {
  it('takes everyone as anonymous, also beside tenants that ask', async () => {
    const answer = await ask(api.app, 'POST /actors', { json: image, headers: { tenant: 'open' } });
    expect(answer).toMatchObject({ status: 200, result: { owner: 'anonymous' } });
  });
});
