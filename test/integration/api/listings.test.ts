/** Listings have no pages, so each has a bound; what it leaves out is counted. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listExecutions } from '../../../src/api/list-executions.ts';
import { ask, askUntilComplete, registerActor, sendMessage } from '../../support/api-requests.ts';
import { type ApiService, startApiService } from '../../support/api-service.ts';
import { takeMessage } from '../../support/api-worker.ts';
import { programAvailable } from '../../support/program.ts';
import { requireService } from '../../support/services.ts';
import { until } from '../../support/until.ts';

const most = 3;

interface Listed {
  readonly id: string;
}

/** Each in a millisecond of its own, since the history cuts its pages by that and no finer. */
async function sendInTurn(api: ApiService, actorId: string, count: number): Promise<readonly string[]> {
  const ids: string[] = [];
  for (let index = 0; index < count; index += 1) {
    ids.push(await sendMessage(api, actorId));
    const sent = Date.now();
    await until(() => Date.now() > sent, { everyMs: 1, what: 'the next millisecond' });
  }
  return ids;
}

const idsOf = (listed: readonly Listed[]): string[] => listed.map(({ id }) => id);

describe.runIf(requireService('redis', await programAvailable('redis-server')))('a listing', () => {
  let api: ApiService;
  beforeAll(async () => {
    api = await startApiService({ settings: { ABACO_LIMITS_LISTING: String(most) } });
  });
  afterAll(async () => await api?.[Symbol.asyncDispose]());

  async function register(count: number, tenant: string): Promise<string[]> {
    const ids: string[] = [];
    for (let index = 0; index < count; index += 1) ids.push(await registerActor(api, {}, { tenant }));
    return ids;
  }

  it('of actors holds the newest, the oldest of them first', async () => {
    const headers = { tenant: 'NEWEST' };
    const ids = await register(5, 'NEWEST');
    const answer = await ask(api.app, 'GET /actors', { headers });
    expect(idsOf(answer.result)).toEqual(ids.slice(-most));
    expect(answer.headers['x-total-count']).toBe('5');
    const rest = await ask(api.app, `GET /actors?limit=2&skip=${most}`, { headers });
    expect(rest.result._metadata).toMatchObject({ total_count: 5, count_returned: 2 });
  });

  it('of executions holds the latest and sums over all, before and after the history has them', async () => {
    const id = await registerActor(api);
    const ids = await sendInTurn(api, id, 6);
    for (let index = 0; index < 2; index += 1) {
      const played = await takeMessage(api, id);
      await played.start();
      await played.end({ usage: { cpuMs: 7, maxMemoryBytes: 1, ioBytes: 11, runtimeMs: 2_000 } });
    }
    const totals = { total_executions: 6, total_cpu: 14_000_000, total_io: 22, total_runtime: 4 };
    for (const drained of [false, true]) {
      if (drained) expect(await api.services.outbox.catchUp({ tenant: 'DEV' }, 10_000)).toBeTruthy();
      const { result, headers } = await ask(api.app, `GET /actors/${id}/executions`);
      expect(idsOf(result.executions)).toEqual(ids.slice(-most));
      expect(result).toMatchObject(totals);
      expect(headers['x-total-count']).toBe('6');
    }
  });

  it('of executions counts one that ends late and is older than the latest once, wherever it is', async () => {
    const id = await registerActor(api);
    for (let index = 0; index < 5; index += 1) await sendMessage(api, id);
    const late = await takeMessage(api, id);
    await late.start();
    for (let index = 0; index < 4; index += 1) await (await takeMessage(api, id)).end();
    await api.services.outbox.catchUp({ tenant: 'DEV' }, 10_000);
    const listed = async () => (await ask(api.app, `GET /actors/${id}/executions`)).result;
    expect(await listed()).toMatchObject({ total_executions: 5 });
    const { executions, history } = api.services;
    await late.end();
    expect(await listed()).toMatchObject({ total_executions: 5 });
    // Drained by another process after Redis was read: what it read is then in the history too.
    const read = await executions.list({ tenant: 'DEV', actorId: id }, most);
    await api.services.outbox.catchUp({ tenant: 'DEV' }, 10_000);
    const before = { ...executions, list: async () => read };
    const listing = await listExecutions({ executions: before, history }, { tenant: 'DEV', actorId: id }, most);
    expect(listing.totals.count).toBe(5);
  });

  it('of executions keeps the order of a batch, wherever they are', async () => {
    const id = await registerActor(api);
    const { result } = await ask(api.app, `POST /actors/${id}/messages/batch`, { json: { messages: ['a', 'b', 'c'] } });
    const ids = result.messages.map((one: { readonly execution_id: string }) => one.execution_id);
    expect(ids).toHaveLength(most);
    for (let index = 0; index <= most; index += 1) {
      await api.services.outbox.catchUp({ tenant: 'DEV' }, 10_000);
      expect(idsOf((await ask(api.app, `GET /actors/${id}/executions`)).result.executions)).toEqual(ids);
      if (index < most) await (await takeMessage(api, id)).end();
    }
  });

  it('of aliases, configs, nonces and permissions is bounded too', async () => {
    const actorId = await registerActor(api);
    const names = ['d', 'b', 'e', 'a', 'c'];
    for (const name of names) {
      const alias = { alias: name, actor_id: actorId };
      const config = { name, value: '1', actors: actorId, is_secret: false };
      for (const [line, json] of [
        ['POST /actors/aliases', alias],
        ['POST /actors/configs', config],
        [`POST /actors/${actorId}/nonces`, { description: name }],
        [`POST /actors/${actorId}/permissions`, { user: name, level: 'READ' }],
      ] as const) {
        const { status, text } = await ask(api.app, line, { json });
        expect(status, text).toBe(200);
      }
    }
    const list = async (path: string) => {
      const { result, headers } = await ask(api.app, `GET /actors/${path}`);
      return { result, total: Number(headers['x-total-count']) };
    };
    const aliases = await list('aliases');
    expect([aliases.result.map(({ alias }: { alias: string }) => alias), aliases.total]).toEqual([['a', 'b', 'c'], 5]);
    const configs = await list('configs');
    expect([configs.result.map(({ name }: { name: string }) => name), configs.total]).toEqual([['a', 'b', 'c'], 5]);
    const nonces = await list(`${actorId}/nonces`);
    expect(nonces.result.map(({ description }: { description: string }) => description)).toEqual(['e', 'a', 'c']);
    expect(nonces.total).toBe(5);
    const permissions = await list(`${actorId}/permissions`);
    expect([Object.keys(permissions.result), permissions.total]).toEqual([['a', 'anonymous', 'b'], 6]);
  });
});

describe.runIf(requireService('redis', await programAvailable('redis-server')))(
  'a listing where compat.listing_query = "listing"',
  () => {
    let api: ApiService;
    beforeAll(async () => {
      const settings = { ABACO_COMPAT_LISTING_QUERY: 'listing', ABACO_LIMITS_LISTING: String(most) };
      api = await startApiService({ settings });
    });
    afterAll(async () => await api?.[Symbol.asyncDispose]());

    /** Pages of five things: what is asked, and what is listed of them. */
    const pages: readonly (readonly [string, readonly number[]])[] = [
      ['', [2, 3, 4]],
      ['?limit=2', [3, 4]],
      ['?limit=2&offset=1', [2, 3]],
      ['?offset=2', [0, 1, 2]],
      ['?limit=9&offset=4', [0]],
      ['?limit=0', []],
      ['?offset=5', []],
      ['?limit=&offset=', [2, 3, 4]],
      ['?search=x&status=ERROR&skip=1&image.like=.', [2, 3, 4]],
    ];

    it('keeps its shape and pages actors from the newest on, passing over what is no page', async () => {
      const headers = { tenant: 'PAGES' };
      const ids: string[] = [];
      for (let index = 0; index < 5; index += 1) ids.push(await registerActor(api, {}, { tenant: 'PAGES' }));
      for (const [query, shown] of pages) {
        const answer = await ask(api.app, `GET /actors${query}`, { headers });
        expect(answer.message).toBe('Actors retrieved successfully.');
        expect(idsOf(answer.result), query).toEqual(shown.map((index) => ids[index]));
        expect(answer.headers['x-total-count']).toBe('5');
      }
    });

    it('pages executions from the latest on, with sums over all, wherever they are', async () => {
      const id = await registerActor(api);
      const ids = await sendInTurn(api, id, 5);
      for (let index = 0; index < 3; index += 1) await (await takeMessage(api, id)).end();
      for (const drained of [false, true]) {
        if (drained) expect(await api.services.outbox.catchUp({ tenant: 'DEV' }, 10_000)).toBeTruthy();
        for (const [query, shown] of pages) {
          const { result, headers } = await ask(api.app, `GET /actors/${id}/executions${query}`);
          expect(idsOf(result.executions), query).toEqual(shown.map((index) => ids[index]));
          expect(result.total_executions).toBe(5);
          expect(headers['x-total-count']).toBe('5');
        }
      }
    });

    it('pages by name what is listed by name', async () => {
      const actorId = await registerActor(api);
      for (const alias of ['d', 'b', 'e', 'a', 'c']) {
        await ask(api.app, 'POST /actors/aliases', { json: { alias, actor_id: actorId } });
      }
      const { result, headers } = await ask(api.app, 'GET /actors/aliases?limit=2&offset=1');
      expect(result.map(({ alias }: { alias: string }) => alias)).toEqual(['b', 'c']);
      expect(headers['x-total-count']).toBe('5');
    });

    it('of workers and a log stay what they are, and the search searches', async () => {
      const id = await registerActor(api);
      const execution = await sendMessage(api, id);
      const played = await takeMessage(api, id);
      await played.start();
      await played.end({ log: 'what it wrote' });
      expect((await ask(api.app, `GET /actors/${id}/workers?limit=1&status=READY`)).result).toEqual([]);
      const log = await ask(api.app, `GET /actors/${id}/executions/${execution}/logs?search=other&limit=1`);
      expect(log.result.logs).toBe('what it wrote');
      const found = await askUntilComplete(api.app, `GET /actors/search/executions?id=${execution}`);
      expect(found.result._metadata).toMatchObject({ total_count: 1 });
    });

    it.each(['limit=-1', 'limit=some', 'offset=1.5', 'offset=10001'])('answers 400 to %s', async (query) => {
      const { status, message } = await ask(api.app, `GET /actors?${query}`);
      expect([status, message]).toEqual([400, expect.stringMatching(/^Invalid listing: parameter "(limit|offset)"/)]);
    });
  },
);

describe.runIf(requireService('redis', await programAvailable('redis-server')))('10,000 actors', () => {
  it('are listed whole, by age', async () => {
    await using api = await startApiService();
    const first = await registerActor(api);
    const { actors, ids } = api.services;
    const model = await actors.get('DEV', first);
    if (!model) throw new Error('It was registered');
    const made = Array.from({ length: 9_999 }, () => ids.next());
    for (let from = 0; from < made.length; from += 500) {
      await Promise.all(made.slice(from, from + 500).map((id) => actors.create({ ...model, id })));
    }
    const { status, result, headers } = await ask(api.app, 'GET /actors');
    expect([status, headers['x-total-count']]).toEqual([200, '10000']);
    expect(idsOf(result)).toHaveLength(10_000);
    expect(new Set(idsOf(result))).toEqual(new Set([first, ...made]));
  });
});
