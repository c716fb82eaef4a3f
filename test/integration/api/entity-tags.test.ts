import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, registerActor } from '../../support/api-requests.ts';
import { type ApiService, startApiService } from '../../support/api-service.ts';

let api: ApiService;

beforeAll(async () => {
  api = await startApiService();
});

afterAll(async () => {
  await api[Symbol.asyncDispose]();
});

const image = 'debian:trixie-slim';

async function tagOf(path: string): Promise<string> {
  const { headers } = await ask(api.app, `GET ${path}`);
  return String(headers['etag']);
}

describe('the ETag of a state', () => {
  it('is its version, a number that each change raises by one', async () => {
    const path = `/actors/${await registerActor(api, { stateless: false })}/state`;
    expect(await tagOf(path)).toBe('"0"');
    const set = await ask(api.app, `POST ${path}`, { json: { n: 1 } });
    expect(set.headers['etag']).toBe('"1"');
    expect(await tagOf(path)).toBe('"1"');
    expect(await tagOf(`/actors/${await registerActor(api)}/state`)).toBe('"0"');
  });

  it('spares a client what it has, by 304 without a body', async () => {
    const path = `/actors/${await registerActor(api, { stateless: false })}/state`;
    for (const seen of ['"0"', 'W/"0"', '"7", "0"', '*']) {
      const { status, bytes, headers } = await ask(api.app, `GET ${path}`, { headers: { 'if-none-match': seen } });
      expect([status, bytes.length, headers['etag']]).toEqual([304, 0, '"0"']);
    }
    await ask(api.app, `POST ${path}`, { json: [1] });
    const changed = await ask(api.app, `GET ${path}`, { headers: { 'if-none-match': '"0"' } });
    expect([changed.status, changed.result]).toEqual([200, { state: [1] }]);
  });

  it('lets exactly one of many writers pass who have read the same version', async () => {
    const path = `/actors/${await registerActor(api, { stateless: false })}/state`;
    const write = (writer: number) =>
      ask(api.app, `POST ${path}`, { json: { writer }, headers: { 'if-match': '"0"' } });
    const answers = await Promise.all(Array.from({ length: 20 }, (_, index) => write(index)));
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
    expect(statuses.filter((status) => status === 412)).toHaveLength(19);
    const winner = statuses.indexOf(200);
    expect((await ask(api.app, `GET ${path}`)).result).toEqual({ state: { writer: winner } });
  });

  it('counts n increments by n clients as n, when each reads again after 412', async () => {
    const path = `/actors/${await registerActor(api, { stateless: false })}/state`;
    const increment = async (): Promise<void> => {
      for (;;) {
        const { result, headers } = await ask(api.app, `GET ${path}`);
        const n = Number(result.state.n ?? 0) + 1;
        const tag = { 'if-match': String(headers['etag']) };
        if ((await ask(api.app, `POST ${path}`, { json: { n }, headers: tag })).status === 200) return;
      }
    };
    await Promise.all(Array.from({ length: 10 }, increment));
    expect((await ask(api.app, `GET ${path}`)).result).toEqual({ state: { n: 10 } });
  });

  it.each(['W/"0"', '"x"', '""', '"0.1x"'])('does not match %s', async (tag) => {
    const path = `/actors/${await registerActor(api, { stateless: false })}/state`;
    const { status, message } = await ask(api.app, `POST ${path}`, { json: [1], headers: { 'if-match': tag } });
    expect([status, message.includes('another version')]).toEqual([412, true]);
  });

  it('is any where the client asks for one at all, and has to be a tag', async () => {
    const path = `/actors/${await registerActor(api, { stateless: false })}/state`;
    const set = (tag: string) => ask(api.app, `POST ${path}`, { json: [1], headers: { 'if-match': tag } });
    expect((await set('*')).status).toBe(200);
    expect((await set('"5", "1"')).status).toBe(200);
    const { status, message } = await set('1');
    expect([status, message.includes('If-Match')]).toEqual([400, true]);
  });
});

describe('the ETag of an actor', () => {
  it('changes with its settings, its status and its state, and spares a client what it has', async () => {
    const id = await registerActor(api, { stateless: false }, { ready: false });
    const path = `/actors/${id}`;
    const tags = [await tagOf(path)];
    const seen = await ask(api.app, `GET ${path}`, { headers: { 'if-none-match': tags[0] ?? '' } });
    expect([seen.status, seen.bytes.length]).toEqual([304, 0]);
    await api.services.actors.markReady({ tenant: 'DEV', actorId: id }, 1, 'sha256:0');
    tags.push(await tagOf(path));
    await ask(api.app, `PUT ${path}`, { json: { image, stateless: false, description: 'other' } });
    tags.push(await tagOf(path));
    await ask(api.app, `POST ${path}/state`, { json: [1] });
    tags.push(await tagOf(path));
    expect(new Set(tags).size).toBe(4);
  });

  it('keeps a client from replacing, or deleting, what it has not seen', async () => {
    const path = `/actors/${await registerActor(api)}`;
    const old = await tagOf(path);
    const put = (description: string, tag: string) =>
      ask(api.app, `PUT ${path}`, { json: { image, description }, headers: { 'if-match': tag } });
    const first = await put('first', old);
    expect([first.status, first.headers['etag'] === old]).toEqual([200, false]);
    expect((await put('second', old)).status).toBe(412);
    expect((await ask(api.app, `GET ${path}`)).result.description).toBe('first');
    expect((await ask(api.app, `DELETE ${path}`, { headers: { 'if-match': old } })).status).toBe(412);
    const now = await tagOf(path);
    expect(now).toBe(first.headers['etag']);
    expect((await ask(api.app, `DELETE ${path}`, { headers: { 'if-match': now } })).status).toBe(200);
  });

  it('leaves the state out of what a replacement compares, since it leaves the state alone', async () => {
    const path = `/actors/${await registerActor(api, { stateless: false })}`;
    const tag = await tagOf(path);
    await ask(api.app, `POST ${path}/state`, { json: [1] });
    const put = await ask(api.app, `PUT ${path}`, { json: { image, stateless: false }, headers: { 'if-match': tag } });
    expect(put.status).toBe(200);
  });

  it('is told as problem details to whom asks for them', async () => {
    const path = `/actors/${await registerActor(api)}`;
    const headers = { 'if-match': '"0.0"', accept: 'application/problem+json' };
    const { status, text } = await ask(api.app, `PUT ${path}`, { json: { image }, headers });
    expect([status, JSON.parse(text).code]).toEqual([412, 'request.stale']);
  });
});
