import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, registerActor, sendMessage } from '../../support/api-requests.ts';
import { type ApiService, startApiService } from '../../support/api-service.ts';
import { takeMessage } from '../../support/api-worker.ts';

let api: ApiService;

beforeAll(async () => {
  api = await startApiService();
});

afterAll(async () => {
  await api[Symbol.asyncDispose]();
});

const idsOf = ({ result }: Awaited<ReturnType<typeof ask>>) =>
  result.executions.map((one: { readonly id: string }) => one.id) as string[];

describe('GET /executions', () => {
  it('lists those of all actors, the newest first, at every prefix, from the moment of their message on', async () => {
    const [one, other] = [await registerActor(api), await registerActor(api)];
    const ids = [await sendMessage(api, one), await sendMessage(api, other), await sendMessage(api, one)];
    for (const path of ['/actors/executions', '/actors/v2/executions', '/executions', '//executions/']) {
      const answer = await ask(api.app, `GET ${path}`);
      expect(answer.message).toBe('Executions retrieved successfully.');
      expect(new Set(idsOf(answer))).toEqual(new Set(ids));
      expect(answer.result.next).toBeNull();
    }
    const played = await takeMessage(api, one);
    await played.start();
    await played.end();
    const complete = await ask(api.app, `GET /executions?status=complete`);
    expect(idsOf(complete)).toEqual([ids[0]]);
    expect(complete.result.executions[0]).toMatchObject({ actor_id: one, status: 'COMPLETE', exit_code: 0 });
    expect(complete.result.executions[0]._links.logs).toMatch(/\/logs$/);
  });

  it('goes on with the cursor, each once, and keeps to one actor', async () => {
    const id = await registerActor(api);
    await sendMessage(api, await registerActor(api));
    const sent: string[] = [];
    for (let count = 0; count < 5; count += 1) sent.push(await sendMessage(api, id));
    const found: string[] = [];
    let cursor = '';
    do {
      const answer = await ask(api.app, `GET /executions?actor=${id}&limit=2${cursor}`);
      expect(idsOf(answer).length).toBeLessThanOrEqual(2);
      found.push(...idsOf(answer));
      cursor = answer.result.next === null ? '' : `&cursor=${answer.result.next}`;
    } while (cursor !== '');
    expect(found.toSorted()).toEqual(sent.toSorted());
    expect(found).toHaveLength(5);
  });

  it('keeps to a range of times', async () => {
    const id = await registerActor(api);
    await sendMessage(api, id);
    expect(idsOf(await ask(api.app, `GET /executions?actor=${id}&from=2020&until=2021`))).toEqual([]);
    expect(idsOf(await ask(api.app, `GET /executions?actor=${id}&from=2020`))).toHaveLength(1);
  });

  it.each(['status=DONE', 'from=yesterday', 'limit=0', 'limit=x', 'cursor=x', 'cursor=MSAh'])(
    'refuses %s',
    async (query) => {
      const { status, message } = await ask(api.app, `GET /executions?${query}`);
      expect([status, message.includes('Invalid listing')]).toEqual([400, true]);
    },
  );

  it('does not know the actor of another tenant', async () => {
    const id = await registerActor(api);
    await sendMessage(api, id);
    const headers = { tenant: 'OTHER' };
    expect((await ask(api.app, `GET /executions?actor=${id}`, { headers })).status).not.toBe(200);
    const { status, result } = await ask(api.app, 'GET /executions', { headers });
    if (status === 200) expect(result.executions).toEqual([]);
  });
});
