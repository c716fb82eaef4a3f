/** Who may register actors on a launcher that runs programs as their owners. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask } from '../../support/api-requests.ts';
import { type ApiService, startApiService } from '../../support/api-service.ts';
import type { LauncherBench } from '../../support/launcher-contract.ts';
import { makeMockBench } from '../../support/mock-bench.ts';
import { claimsOf, makeTestKey, signToken } from '../../support/tokens.ts';

const keys = { A: makeTestKey(), B: makeTestKey() };
let api: ApiService;
let bench: LauncherBench;

beforeAll(async () => {
  bench = await makeMockBench();
  const mock = await bench.open();
  const launcher = { ...mock, capabilities: { ...mock.capabilities, asOwner: true } };
  api = await startApiService({
    launchers: [{ name: 'hpc', place: 'hpc', launcher }],
    siteFile: `
[auth]
default_tenant = "A"
[launchers.hpc]
kind = "mock"
[queues.hpc]
launcher = "hpc"
who = "user"
[tenants.A]
public_key = """${keys.A.publicPem}"""
[tenants.A.users.alice]
uid = 10001
gid = 20000
[tenants.B]
public_key = """${keys.B.publicPem}"""
[tenants.OPEN]
mode = "none"
actor_uid = 5000
actor_gid = 5000
`,
  });
});

afterAll(async () => {
  await api[Symbol.asyncDispose]();
  await bench[Symbol.asyncDispose]();
});

const register = async (tenant: keyof typeof keys, queue = 'hpc') => {
  const token = signToken(keys[tenant].privateKey, { claims: claimsOf('alice') });
  const headers = { [`X-Jwt-Assertion-${tenant}`]: token };
  return await ask(api.app, 'POST /actors', { json: { image: 'debian', queue }, headers });
};

describe('an actor whose programs run as its owner', () => {
  it('is taken of an owner of whom somebody says who it is', async () => {
    expect(await register('A')).toMatchObject({ status: 200, result: { owner: 'alice', uid: '10001' } });
  });

  it('is refused of a namesake of another tenant, of whom nobody does', async () => {
    const { status, message } = await register('B');
    expect(status).toBe(400);
    expect(message).toMatch(/^User "alice" runs nothing here: launcher "hpc" .*nobody says who that is;.*tenant "B"/);
    expect((await register('B', 'default')).status).toBe(200);
  });

  it('is refused of nobody, whoever that is elsewhere', async () => {
    const json = { image: 'debian', queue: 'hpc' };
    const { status, message } = await ask(api.app, 'POST /actors', { json, headers: { tenant: 'OPEN' } });
    expect(status).toBe(400);
    expect(message).toContain('nobody knows who "anonymous" is');
  });
});
