/**
 * Contract §10: the token that a program finds in `_abaco_access_token`.
 *
 * Not as the original: every execution has a token of its own, also of an actor whose `token` is false, which says what
 * the original was to make and is kept and shown as it is (07-01-attributes.test.ts). The contract lets a
 * self-contained server mint its own; one that opens its owner's things for as long as the program runs, and nothing
 * after, costs nobody anything, and without one no program could set the state of its actor. So no variable is empty,
 * and agavepy never falls back to its fake header.
 *
 * Not here, as there is no API manager to be a client of: OAuth clients, one for each worker, their keys and refresh
 * tokens, the settings `generate_clients`, ten attempts, what the health agent removes, and the 14,400 s, since a token
 * ends with its execution. `run_as_executor` is of v3. What a token opens besides is in integration/api/token.test.ts,
 * that it has the form of ours in 09-container.test.ts, that it is of its tenant alone in 05-2-tenants.test.ts.
 */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { as, type Client, startClient } from '../support/abaco-client.ts';
import { type AbacoUp, startAbacoUp } from '../support/abaco-up.ts';
import { takeMessage } from '../support/api-worker.ts';
import { dockerAvailable, nativeAvailable } from '../support/docker.ts';
import { programAvailable } from '../support/program.ts';
import { ensureProgramImage, removeProgramImage } from '../support/program-image.ts';
import { requireService } from '../support/services.ts';
import { until } from '../support/until.ts';

describe('§10 the token of an execution', () => {
  let client: Client;

  beforeAll(async () => {
    client = await startClient();
  });

  afterAll(async () => {
    await client[Symbol.asyncDispose]();
  });

  /** Olga's actor runs a message of Jane's. */
  async function startOne() {
    const actor = await client.register('olga', { stateless: false });
    const json = { user: 'jane', level: 'EXECUTE' };
    await client.send(`POST /actors/${actor}/permissions`, as('olga'), { json });
    await client.send(`POST /actors/${actor}/messages`, as('jane'), { json: { message: 'm' } });
    const played = await takeMessage(client.api, actor, 'PHYSICS');
    return { actor, played, bearer: { authorization: `Bearer ${await played.start()}` } };
  }

  it("acts as the owner of the actor, and not as its message's executor", async () => {
    const { actor, played, bearer } = await startOne();
    expect(played.claimed.message.executor).toBe('jane');
    const { result } = await client.send('POST /actors', bearer, { json: { image: 'debian' } });
    expect(result.owner).toBe('olga');
    expect((await client.send(`GET /actors/${actor}/nonces`, bearer)).status).toBe(200);
  });

  it('is taken by this API as a bearer, as update_state needs it', async () => {
    const { actor, bearer } = await startOne();
    const { status, message } = await client.send(`POST /actors/${actor}/state`, bearer, { json: { count: 1 } });
    expect([status, message]).toEqual([200, 'State updated successfully.']);
    expect((await client.send(`GET /actors/${actor}/state`, as('olga'))).result.state).toEqual({ count: 1 });
  });

  it('is good while its execution runs, and for nothing after', async () => {
    const { actor, played, bearer } = await startOne();
    expect((await client.send(`GET /actors/${actor}`, bearer)).status).toBe(200);
    await played.end();
    const { status, message } = await client.send(`GET /actors/${actor}`, bearer);
    expect(status).toBe(400);
    expect(message).toContain('the execution has ended');
  });
});

const runs = [
  requireService('redis', await programAvailable('redis-server')),
  requireService('docker', await dockerAvailable()),
  requireService('native', await nativeAvailable()),
].every(Boolean);

describe.runIf(runs)('§10 _abaco_access_token', () => {
  const image = 'abaco-test-tokens:1';
  let up: AbacoUp;

  beforeAll(async () => {
    await ensureProgramImage(image, 'echo "$_abaco_access_token"');
    up = await startAbacoUp();
  });

  afterAll(async () => {
    await up?.[Symbol.asyncDispose]();
    await removeProgramImage(image);
  });

  async function call(path: string, json?: object): Promise<Readonly<Record<string, unknown>>> {
    const headers = { 'content-type': 'application/json' };
    const init = json === undefined ? {} : { method: 'POST', headers, body: JSON.stringify(json) };
    const answer = (await (await fetch(`${up.url}${path}`, init)).json()) as { result: Record<string, unknown> };
    return answer.result;
  }

  async function tokenOfOne(actor: string): Promise<string> {
    const { execution_id: id } = await call(`/actors/${actor}/messages`, { message: 'm' });
    const path = `/actors/${actor}/executions/${String(id)}`;
    const complete = async () => (await call(path))['status'] === 'COMPLETE' || undefined;
    await until(complete, { timeoutMs: 30_000, what: 'the end of the program' });
    return String((await call(`${path}/logs`))['logs']).trim();
  }

  it('is there whatever `token` says, and another in each execution', async () => {
    const tokens: string[] = [];
    for (const given of [{}, { token: true }, { token: false }]) {
      const { id, token } = await call('/actors', { image, ...given });
      expect(token).toBe('token' in given ? given.token : 'false');
      tokens.push(await tokenOfOne(String(id)), await tokenOfOne(String(id)));
    }
    for (const token of tokens) expect(token).toMatch(/^abaco_x1\./);
    expect(new Set(tokens).size).toBe(6);
  });
});
