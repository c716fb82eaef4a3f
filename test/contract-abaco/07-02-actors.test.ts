/**
 * Contract §§7.2–7.4: list, register, read, replace and delete actors.
 *
 * Not here: links (11-events.test.ts), what a listing filters (07-12-permissions.test.ts), schedules (12-cron.test.ts),
 * that a bad image ends in ERROR and that a deletion ends what runs (08-lifecycles.test.ts). Changed knowingly: PUT leaves
 * state and a schedule's message alone, and plans for the owner, not for who updates (§16 calls both defects). Deleting
 * an actor that is gone is 404 also for administrators: §7.4 has 200 there, while §1.4 has 404 for a well-formed id that
 * is unknown, whatever the method; of the two, 404 does not say that something was done.
 *
 * And a bound of ours: a listing has no pages in the contract and holds `limits.listing` (10,000) actors at most, the latest,
 * while `X-Total-Count` says how many there are (integration/api/listings.test.ts); with a query parameter it is a search,
 * which gives 1,000 at once (07-13-search.test.ts). Else one answer would be as large as its tenant.
 */

import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { News } from '../../src/mailbox/news.ts';
import { as, type Client, startClient } from '../support/abaco-client.ts';
import { takeMessage } from '../support/api-worker.ts';

const olga = as('olga');
let client: Client;

beforeAll(async () => {
  client = await startClient();
});

afterAll(async () => {
  await client[Symbol.asyncDispose]();
});

const register = (json: object) => client.send('POST /actors', olga, { json: { image: 'debian', ...json } });
const update = (actor: string, json: object, who = olga) => client.send(`PUT /actors/${actor}`, who, { json });

/** When who deletes it has asked so many times for the end of what runs. */
async function lookedAt(news: News, actorId: string, count: number): Promise<void> {
  const all = Promise.withResolvers<void>();
  let left = count;
  const stop = news.listen((item) => {
    if (item.kind === 'cancel' && item.actorId === actorId && (left -= 1) === 0) all.resolve();
  });
  await all.promise.finally(stop);
}

describe('§7.2 GET /actors', () => {
  it('is an array in the words of the contract', async () => {
    await client.register();
    const { message, result } = await client.send('GET /actors', olga);
    expect(message).toBe('Actors retrieved successfully.');
    expect(result).toBeInstanceOf(Array);
  });

  it.each(['limit=1', 'pretty=true', 'id=Rr'])('is a search with ?%s', async (query) => {
    const { message, result } = await client.send(`GET /actors?${query}`, olga);
    expect(message).toBe('Actors search completed successfully.');
    expect(Object.keys(result as object).toSorted()).toEqual(['_metadata', 'search']);
  });
});

describe('§7.3 POST /actors', () => {
  it('answers the actor, which is SUBMITTED, and gives its creator UPDATE', async () => {
    const { message, result } = await register({});
    expect(message).toBe('Actor created successfully.');
    expect(result).toMatchObject({ status: 'SUBMITTED', revision: 1 });
    expect((await client.send(`GET /actors/${result.id}/permissions`, olga)).result).toEqual({ olga: 'UPDATE' });
  });

  it('refuses a queue that nobody knows', async () => {
    const answer = await client.send('POST /actors', as('root', 'admin'), { json: { image: 'debian', queue: 'x' } });
    expect(answer.status).toBe(400);
    expect(answer.message).toContain('Invalid queue name.');
  });

  it('refuses max_workers of a stateful actor', async () => {
    const json = { image: 'debian', stateless: false, max_workers: 2 };
    const answer = await client.send('POST /actors', as('root', 'admin'), { json });
    expect(answer).toMatchObject({
      status: 400,
      message: 'Invalid actor description: stateful actors can only have 1 worker.',
    });
  });

  it('does not look at the image', async () => {
    expect((await register({ image: 'nobody/has:this' })).status).toBe(200);
  });
});

describe('§7.4 GET /actors/{id}', () => {
  it('answers in the words of the contract', async () => {
    const actor = await client.register();
    expect(await client.send(`GET /actors/${actor}`, olga)).toMatchObject({
      status: 200,
      message: 'Actor retrieved successfully.',
    });
  });
});

describe('§7.4 PUT /actors/{id}', () => {
  it('needs an image', async () => {
    const { status, message } = await update(await client.register(), { description: 'd' });
    expect(status).toBe(400);
    expect(message).toContain("'image'");
  });

  it('returns to its default whatever is left out', async () => {
    const given = { description: 'd', webhook: 'https://example.org/', hints: ['sync'], type: 'json', log_ex: 60 };
    const { result } = await register({ ...given, default_environment: { A: '1' }, token: true });
    const updated = await update(result.id as string, { image: 'debian' });
    expect(updated.message).toBe('Actor updated successfully.');
    expect(updated.result).toMatchObject({ description: '', webhook: '', hints: [], type: 'none', log_ex: null });
    expect(updated.result).toMatchObject({ default_environment: {}, token: 'false' });
  });

  it('keeps name, owner, id and time of creation, and sets that of the update', async () => {
    const { result } = await register({ name: 'first' });
    const updated = (await update(result.id as string, { image: 'debian', name: 'second' })).result;
    const { id, owner, create_time, name } = result as Record<string, string>;
    expect(updated).toMatchObject({ id, owner, create_time, name });
    expect(Date.parse(updated.last_update_time as string)).toBeGreaterThanOrEqual(Date.parse(create_time ?? ''));
  });

  it('is SUBMITTED in a new revision with another image or by force, and as it was without', async () => {
    const actor = await client.register();
    expect((await update(actor, { image: 'debian' })).result).toMatchObject({ status: 'READY', revision: 1 });
    expect((await update(actor, { image: 'other' })).result).toMatchObject({ status: 'SUBMITTED', revision: 2 });
    expect((await update(actor, { image: 'other', force: true })).result).toMatchObject({ revision: 3 });
  });

  it('is SUBMITTED in a new revision by force alone, of one that was READY', async () => {
    const actor = await client.register();
    expect((await client.send(`GET /actors/${actor}`, olga)).result).toMatchObject({ status: 'READY', revision: 1 });
    const forced = { status: 'SUBMITTED', status_message: '', revision: 2, image: 'debian' };
    expect((await update(actor, { image: 'debian', force: true })).result).toMatchObject(forced);
    const { result } = await client.send(`GET /actors/${actor}`, olga);
    expect(result).toMatchObject(forced);
    expect(result).not.toHaveProperty('digest');
  });

  it('leaves the state of an actor as it is', async () => {
    const actor = await client.register('olga', { stateless: false });
    await client.send(`POST /actors/${actor}/state`, olga, { json: { count: 1 } });
    expect((await update(actor, { image: 'debian', stateless: false })).result.state).toEqual({ count: 1 });
  });

  it('makes a stateless actor stateful, and never the other way', async () => {
    const actor = await client.register();
    expect((await update(actor, { image: 'debian', stateless: false })).result.stateless).toBe(false);
    expect(await update(actor, { image: 'debian' })).toMatchObject({
      status: 400,
      message: 'Invalid actor description: an actor that was not stateless cannot be updated to be stateless.',
    });
  });

  it.each([{ queue: 'nobody' }, { hints: ['{'] }])('answers 400 to what POST refuses: %j', async (json) => {
    const answer = await update(await client.register(), { image: 'debian', ...json }, as('root', 'admin'));
    expect(answer.status).toBe(400);
  });
});

describe('§7.4 DELETE /actors/{id}', () => {
  afterEach(() => void vi.useRealTimers());

  it('answers after 20 s that it goes on where something runs still, and deletes it when that has ended', async () => {
    const { news, actors } = client.api.services;
    const actor = await client.register();
    await client.send(`POST /actors/${actor}/messages?message=m`, olga);
    const running = await takeMessage(client.api, actor, 'PHYSICS');
    await running.start();
    vi.useFakeTimers({ toFake: ['performance'] });
    const looks = (count: number) => lookedAt(news, actor, count);
    let answered = false;
    const first = looks(1);
    const deleting = client.send(`DELETE /actors/${actor}`, olga).finally(() => (answered = true));
    await first;
    vi.advanceTimersByTime(19_900);
    // The first of these may have begun before.
    await looks(2);
    expect(answered).toBe(false);
    vi.advanceTimersByTime(200);
    expect(await deleting).toMatchObject({
      status: 200,
      message: "Actor deleted successfully, though Abaco is still cleaning up some of the actor's resources.",
      result: null,
    });
    expect((await actors.get('PHYSICS', actor))?.status).toBe('shutting_down');
    await running.end({ end: 'cancelled', exitCode: 137 });
    expect((await client.send(`DELETE /actors/${actor}`, olga)).message).toBe('Actor deleted successfully.');
  });

  it('answers null, and then nobody knows the actor; its executions keep their number', async () => {
    const actor = await client.register();
    const countAll = async () => {
      await client.api.services.outbox.catchUp({ tenant: 'PHYSICS' }, 10_000);
      const { result } = await client.send('GET /actors/admin/executions', as('root', 'admin'));
      return (result as { summary: { total_executions_all: number } }).summary.total_executions_all;
    };
    const before = await countAll();
    await client.send(`POST /actors/${actor}/messages?message=m`, olga);
    const gone = await client.send(`DELETE /actors/${actor}`, olga);
    expect(gone).toMatchObject({ status: 200, message: 'Actor deleted successfully.', result: null });
    expect((await client.send(`GET /actors/${actor}`, as('root', 'admin'))).status).toBe(404);
    expect(await countAll()).toBe(before + 1);
  });

  it('takes the logs of its executions with it, also of those that ended last', async () => {
    const { outbox, history } = client.api.services;
    const actor = await client.register();
    const run = async (log: string): Promise<string> => {
      await client.send(`POST /actors/${actor}/messages?message=m`, olga);
      const played = await takeMessage(client.api, actor, 'PHYSICS');
      await played.end({ log });
      return played.id;
    };
    const catchUp = async () => await outbox.catchUp({ tenant: 'PHYSICS' }, 10_000);
    const bytesOf = async (id: string) => {
      const body = (await history.log('PHYSICS', actor, id))?.body;
      return body && 'inline' in body ? body.inline.length : undefined;
    };
    const first = await run('said');
    await catchUp();
    expect(await bytesOf(first)).toBe(4);
    const last = await run('said too');
    await client.send(`DELETE /actors/${actor}`, olga);
    await catchUp();
    expect([await bytesOf(first), await bytesOf(last)]).toEqual([0, 0]);
    expect(await history.execution('PHYSICS', actor, last)).toMatchObject({ end: 'exited' });
  });

  it('takes nonces and permissions with it', async () => {
    const actor = await client.register();
    const { result } = await client.send(`POST /actors/${actor}/nonces`, olga);
    await client.send(`DELETE /actors/${actor}`, olga);
    const answer = await client.send(`GET /actors/${actor}?x-nonce=${result.id as string}`);
    expect(answer).toMatchObject({ status: 400, message: expect.stringContaining('Nonce does not exist.') as string });
  });
});
