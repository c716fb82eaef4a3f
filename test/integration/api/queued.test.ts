/** Limits of the messages that wait for all actors of an owner, and of a tenant. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, type Question } from '../../support/api-requests.ts';
import { type ApiService, startApiService } from '../../support/api-service.ts';
import { takeMessage } from '../../support/api-worker.ts';
import { programAvailable } from '../../support/program.ts';
import { requireService } from '../../support/services.ts';
import { claimsOf, makeTestKey, signToken } from '../../support/tokens.ts';
import { until } from '../../support/until.ts';

/** One for each test, so that none fills the room of another. */
const keys = {
  OWNER: makeTestKey(),
  SHARED: makeTestKey(),
  WHOLE: makeTestKey(),
  DRAINED: makeTestKey(),
  REPLAYED: makeTestKey(),
  BATCH: makeTestKey(),
  BYTES: makeTestKey(),
  CAUSED: makeTestKey(),
  ATONCE: makeTestKey(),
};
type Tenant = keyof typeof keys;

describe.runIf(requireService('redis', await programAvailable('redis-server')))('limits of waiting messages', () => {
  let api: ApiService;
  beforeAll(async () => {
    api = await startApiService({
      siteFile: `
[limits]
queued_per_user = 3
queued_per_tenant = 5
[blobs]
inline_bytes = "1 KiB"
${Object.entries(keys)
  .map(([tenant, { publicPem }]) => `[tenants.${tenant}]\npublic_key = """${publicPem}"""`)
  .join('\n')}
`,
    });
  });
  afterAll(async () => await api?.[Symbol.asyncDispose]());

  /** Requests of one user. */
  function clientOf(user: string, tenant: Tenant) {
    const token = signToken(keys[tenant].privateKey, { claims: claimsOf(user) });
    const send = async (line: string, { headers = {}, ...question }: Question = {}) =>
      await ask(api.app, line, { ...question, headers: { [`x-jwt-assertion-${tenant}`]: token, ...headers } });
    return {
      send,
      async register(): Promise<string> {
        const { status, text, result } = await send('POST /actors', { json: { image: 'debian' } });
        expect(status, text).toBe(200);
        const { id: actorId } = result as { readonly id: string };
        await api.services.actors.markReady({ tenant, actorId }, 1, `sha256:${'0'.repeat(64)}`);
        return actorId;
      },
      post: async (id: string, message = 'm', headers: Record<string, string> = {}) =>
        await send(`POST /actors/${id}/messages`, { json: { message }, headers }),
      batch: async (id: string, messages: unknown) =>
        await send(`POST /actors/${id}/messages/batch`, { json: { messages } }),
      /** Posts until the user has three. */
      async fill(id: string): Promise<void> {
        for (let count = 0; count < 3; count += 1) expect((await this.post(id)).status).toBe(200);
      },
    };
  }

  it('hold for all actors of an owner together, and for nobody else', async () => {
    const ann = clientOf('ann', 'OWNER');
    const [one, other] = [await ann.register(), await ann.register()];
    const taken = [await ann.post(one), await ann.post(other), await ann.post(one)];
    expect(taken.map(({ status }) => status)).toEqual([200, 200, 200]);
    for (const id of [one, other]) {
      const { status, message, headers } = await ann.post(id);
      expect([status, headers['retry-after']]).toEqual([429, '5']);
      expect(message).toBe(
        'Actors of user "ann" have 3 messages waiting, the limit of limits.queued_per_user; purge what is not ' +
          'needed, or send again later',
      );
    }
    const problem = await ann.post(one, 'm', { accept: 'application/problem+json' });
    expect(JSON.parse(problem.text)).toMatchObject({ status: 429, code: 'message.too_many' });
    const bob = clientOf('bob', 'OWNER');
    expect((await bob.post(await bob.register())).status).toBe(200);
  });

  it('count a message for the owner of the actor, and say nothing of it to who may not send', async () => {
    const [ann, bob, eve] = [clientOf('ann', 'SHARED'), clientOf('bob', 'SHARED'), clientOf('eve', 'SHARED')];
    const id = await ann.register();
    await ann.send(`POST /actors/${id}/permissions`, { json: { user: 'bob', level: 'EXECUTE' } });
    await bob.fill(id);
    expect((await bob.post(id)).message).toMatch(/^Actors of user "ann" have 3 messages waiting/);
    expect((await bob.post(await bob.register())).status).toBe(200);
    expect((await eve.post(id)).message).toContain('you do not have access to this actor');
    expect((await eve.post(api.services.ids.next())).status).toBe(400);
  });

  it('hold for all users of a tenant together', async () => {
    const [ann, bob] = [clientOf('ann', 'WHOLE'), clientOf('bob', 'WHOLE')];
    const [annsId, bobsId] = [await ann.register(), await bob.register()];
    await ann.fill(annsId);
    const answers = [await bob.post(bobsId), await bob.post(bobsId), await bob.post(bobsId)];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 429]);
    expect(answers[2]?.message).toMatch(
      /^Actors of tenant "WHOLE" have 5 messages waiting, the limit of limits.queued_per_tenant;/,
    );
  });

  it('leave room again once a message is taken, or the mailbox is purged', async () => {
    const ann = clientOf('ann', 'DRAINED');
    const id = await ann.register();
    await ann.fill(id);
    expect((await ann.post(id)).status).toBe(429);
    await takeMessage(api, id, 'DRAINED');
    const posted = async () => (await ann.post(id)).status === 200;
    await until(posted, { what: 'room for one more message' });
    expect((await ann.post(id)).status).toBe(429);
    expect((await ann.send(`DELETE /actors/${id}/messages`)).status).toBe(200);
    // The counts of owner and tenant do not age together.
    for (let count = 0; count < 3; count += 1) await until(posted, { what: 'room in a purged mailbox' });
    expect((await ann.post(id)).status).toBe(429);
  });

  it('let a message through that repeats one that was taken', async () => {
    const ann = clientOf('ann', 'REPLAYED');
    const id = await ann.register();
    const first = await ann.post(id, 'm', { 'idempotency-key': 'k' });
    await ann.post(id);
    await ann.post(id);
    const again = await ann.post(id, 'm', { 'idempotency-key': 'k' });
    expect([again.status, again.headers['idempotency-replayed']]).toEqual([200, 'true']);
    expect(again.result.execution_id).toBe(first.result.execution_id);
    expect((await ann.post(id, 'other', { 'idempotency-key': 'k' })).message).toContain('Idempotency-Key is refused');
    expect((await ann.post(id, 'm', { 'idempotency-key': 'another' })).status).toBe(429);
  });

  it('refuse those of a batch for which there is no room, one by one', async () => {
    const ann = clientOf('ann', 'BATCH');
    const id = await ann.register();
    const once = { message: 'once', idempotency_key: 'once' };
    const first = await ann.batch(id, [{ message: 'a', json: 'b' }, 'one', once, 'two', 'over', once]);
    expect(first.result).toMatchObject({ posted: 3, replayed: 1, refused: 2 });
    const { messages } = first.result;
    expect(messages[0].error.code).toBe('request.invalid');
    expect(messages[4].error).toMatchObject({
      code: 'message.too_many',
      message: expect.stringMatching(/^Actors of user "ann" have 3 messages waiting/),
    });
    const { result } = await ann.batch(id, ['over', once, { message: 'other', idempotency_key: 'once' }]);
    expect(result).toMatchObject({ posted: 0, replayed: 1, refused: 2 });
    expect(result.messages[1].execution_id).toBe(messages[2].execution_id);
    expect(result.messages[2].error.code).toBe('request.idempotency_conflict');
    expect(await api.services.mailbox.depth({ tenant: 'BATCH', actorId: id })).toBe(3);
  });

  it('keep no body of what they refuse', async () => {
    const ann = clientOf('ann', 'BYTES');
    const id = await ann.register();
    await ann.fill(id);
    const { blobs } = api.services;
    let kept = 0;
    const put: typeof blobs.put = async (content) => {
      kept += 1;
      return await blobs.put(content);
    };
    Object.assign(api.services, { blobs: { ...blobs, put } });
    const body = Buffer.alloc(5_000, 1);
    const headers = { 'content-type': 'application/octet-stream', 'content-length': String(body.byteLength) };
    const bytes = await ann.send(`POST /actors/${id}/messages`, { body, headers });
    const text = await ann.post(id, 'x'.repeat(5_000));
    const { result } = await ann.batch(id, [{ binary: body.toString('base64') }]);
    Object.assign(api.services, { blobs });
    expect([bytes.status, text.status, result.refused, kept]).toEqual([429, 429, 1, 0]);
  });

  it('count what an event or a schedule sends, and never refuse it', async () => {
    const ann = clientOf('ann', 'CAUSED');
    const id = await ann.register();
    const cause = async (number: number) =>
      await api.services.mailbox.postCaused(
        { tenant: 'CAUSED', actorId: id },
        {
          executionId: api.services.ids.next(),
          message: { contentType: 'str', body: { inline: Buffer.from('m') }, environment: {}, executor: 'ann' },
          cause: { name: 'schedule', number },
          via: [],
        },
      );
    expect(await cause(1)).toBe('posted');
    const answers = [await ann.post(id), await ann.post(id), await ann.post(id)];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 429]);
    expect(await cause(2)).toBe('posted');
  });

  it('hold where many messages come at once, also when some of them are refused for another reason', async () => {
    const ann = clientOf('ann', 'ATONCE');
    const id = await ann.register();
    const long = 'x'.repeat(200_000);
    const refused = await Promise.all([ann.post(id, long), ann.post(id, long), ann.post(id, long)]);
    expect(refused.map(({ status }) => status)).toEqual([400, 400, 400]);
    const answers = await Promise.all(Array.from({ length: 20 }, async () => await ann.post(id)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(3);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(17);
  });
});
