import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isId } from '../../../src/lib/ids.ts';
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

/** Exactly what the contract shows of an actor (§7.1). */
const contractKeys =
  '_links create_time cron_next_ex cron_on cron_schedule default_environment description gid hints id image ' +
  'last_update_time link log_ex max_cpus max_workers mem_limit mounts name owner privileged queue revision state ' +
  'stateless status status_message tasdir token type uid use_container_uid webhook';

describe('POST /actors', () => {
  it('answers the whole actor in the envelope, with the defaults of the contract', async () => {
    const answer = await ask(api.app, 'POST /actors', { json: { image: 'abacosamples/test' } });
    expect(answer.status).toBe(200);
    expect(answer.message).toBe('Actor created successfully.');
    expect(Object.keys(JSON.parse(answer.text) as object)).toEqual(['message', 'result', 'status', 'version']);
    expect(Object.keys(answer.result as object).join(' ')).toBe(contractKeys);
    expect(answer.result).toMatchObject({
      image: 'abacosamples/test',
      name: null,
      description: '',
      stateless: true,
      type: 'none',
      token: 'false',
      hints: [],
      privileged: false,
      queue: 'default',
      default_environment: {},
      state: {},
      status: 'SUBMITTED',
      owner: 'anonymous',
      revision: 1,
    });
  });

  it('gives a hash id, times with milliseconds and Z, and links with /actors/v2', async () => {
    const { result } = await ask(api.app, 'POST //actors/', { json: { image: 'debian' } });
    expect(isId(result.id)).toBe(true);
    expect(result.create_time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(result._links.self).toMatch(new RegExp(`/actors/v2/${result.id}$`));
    expect(result._links.executions).toMatch(new RegExp(`/actors/v2/${result.id}/executions$`));
    expect(result._links.owner).toMatch(/\/profiles\/v2\/anonymous$/);
  });

  it('reads names in either letter case, and numbers and booleans given as text', async () => {
    const snake = { max_workers: '3', use_container_uid: 'TRUE', default_environment: { A_b: 1 }, log_ex: 60 };
    const camel = { maxWorkers: 3, useContainerUid: '1', defaultEnvironment: { A_b: 1 }, logEx: '60' };
    const expected = { max_workers: 3, use_container_uid: true, default_environment: { A_b: 1 }, log_ex: 60 };
    for (const settings of [snake, camel]) {
      const { result } = await ask(api.app, 'POST /actors', { json: { image: 'debian', ...settings } });
      expect(result).toMatchObject(expected);
    }
  });

  it('reads JSON, both kinds of form and the query, of which the query wins', async () => {
    const form = await ask(api.app, 'POST /actors?description=query', { form: 'image=debian&description=form' });
    expect(form.result).toMatchObject({ image: 'debian', description: 'query' });
    const body = '--------b1d7\r\nContent-Disposition: form-data; name="image"\r\n\r\ndebian\r\n--------b1d7--\r\n';
    const headers = { 'content-type': 'multipart/form-data; boundary=------b1d7' };
    const multipart = await ask(api.app, 'POST /actors', { body, headers });
    expect(multipart.result.image).toBe('debian');
    const query = await ask(api.app, 'POST /actors?image=debian&stateless=false');
    expect(query.result).toMatchObject({ image: 'debian', stateless: false });
  });

  it('passes over fields it does not know, and takes all elements of hints', async () => {
    const json = { image: ['debian', 'other'], force: 'false', nobody: 1, hints: ['sync', 'x'] };
    const { status, result } = await ask(api.app, 'POST /actors', { json });
    expect(status).toBe(200);
    expect(result).toMatchObject({ image: 'debian', hints: ['sync', 'x'] });
  });

  it('keeps a token that the user gives as a boolean', async () => {
    const { result } = await ask(api.app, 'POST /actors', { json: { image: 'debian', token: 'true' } });
    expect(result.token).toBe(true);
  });
});

describe('GET /actors', () => {
  it('lists the actors of the tenant alone, also under /actors/v2', async () => {
    const headers = { tenant: 'OTHER' };
    const mine = await registerActor(api);
    const theirs = await registerActor(api, {}, { tenant: 'OTHER' });
    const { message, result } = await ask(api.app, 'GET /actors/v2', { headers });
    expect(message).toBe('Actors retrieved successfully.');
    expect(result.map((actor: { id: string }) => actor.id)).toEqual([theirs]);
    const own = await ask(api.app, 'GET /actors');
    expect(own.result.map((actor: { id: string }) => actor.id)).toContain(mine);
  });
});

describe('GET /actors/{id}', () => {
  it('answers the actor with its state', async () => {
    const id = await registerActor(api, { stateless: false, name: 'counter' });
    await ask(api.app, `POST /actors/${id}/state`, { json: { count: 1 } });
    const { message, result } = await ask(api.app, `GET /actors/${id}`);
    expect(message).toBe('Actor retrieved successfully.');
    expect(result).toMatchObject({ id, name: 'counter', state: { count: 1 }, status: 'READY', status_message: ' ' });
  });

  it('answers HEAD with the head of GET', async () => {
    const id = await registerActor(api);
    const { status, bytes } = await ask(api.app, `HEAD /actors/${id}`);
    expect(status).toBe(200);
    expect(bytes).toHaveLength(0);
  });
});

describe('PUT /actors/{id}', () => {
  it('replaces every setting but name, owner, state and time of registration', async () => {
    const id = await registerActor(api, { name: 'kept', description: 'gone', stateless: false, log_ex: 60 });
    await ask(api.app, `POST /actors/${id}/state`, { json: { kept: true } });
    const before = (await ask(api.app, `GET /actors/${id}`)).result;
    const json = { image: 'debian:trixie-slim', stateless: false, name: 'other' };
    const { status, message, result } = await ask(api.app, `PUT /actors/${id}`, { json });
    expect(status).toBe(200);
    expect(message).toBe('Actor updated successfully.');
    expect(result).toMatchObject({ name: 'kept', description: '', log_ex: null, state: { kept: true } });
    expect(result).toMatchObject({ create_time: before.create_time, owner: before.owner });
    expect(Date.parse(result.last_update_time)).toBeGreaterThanOrEqual(Date.parse(before.last_update_time));
    expect(result).toMatchObject({ revision: 1, status: 'READY' });
  });

  it('makes a new revision of another image, and of the same by force', async () => {
    const id = await registerActor(api);
    const other = await ask(api.app, `PUT /actors/${id}`, { json: { image: 'debian:other' } });
    expect(other.result).toMatchObject({ revision: 2, status: 'SUBMITTED' });
    const forced = await ask(api.app, `PUT /actors/${id}`, { json: { image: 'debian:other', force: 'false' } });
    expect(forced.result.revision).toBe(3);
    const same = await ask(api.app, `PUT /actors/${id}`, { json: { image: 'debian:other', force: false } });
    expect(same.result.revision).toBe(3);
  });

  it('refuses to make a stateful actor stateless, which is also what saying nothing means', async () => {
    const id = await registerActor(api, { stateless: false });
    const { status, message } = await ask(api.app, `PUT /actors/${id}`, { json: { image: 'debian' } });
    expect(status).toBe(400);
    expect(message).toBe(
      'Invalid actor description: an actor that was not stateless cannot be updated to be stateless.',
    );
  });

  it('needs an image', async () => {
    const id = await registerActor(api);
    const { status, message } = await ask(api.app, `PUT /actors/${id}`, { json: { description: 'x' } });
    expect(status).toBe(400);
    expect(message).toBe("Invalid actor description: {'image': 'Reference to image on docker hub for this actor.'}");
  });
});

describe('DELETE /actors/{id}', () => {
  it('deletes an actor and cancels what waits; its executions keep their end', async () => {
    const id = await registerActor(api);
    const execution = await sendMessage(api, id);
    const { status, message, result } = await ask(api.app, `DELETE /actors/${id}`);
    expect({ status, message, result }).toEqual({ status: 200, message: 'Actor deleted successfully.', result: null });
    expect((await ask(api.app, `GET /actors/${id}`)).status).toBe(404);
    const kept = await api.services.executions.get({ tenant: 'DEV', actorId: id }, execution);
    expect(kept).toMatchObject({ state: 'complete', end: 'cancelled' });
  });

  it('waits for what runs, which is asked to end', async () => {
    const id = await registerActor(api);
    await sendMessage(api, id);
    const running = await takeMessage(api, id);
    await running.start();
    const deleted = ask(api.app, `DELETE /actors/${id}`);
    const asked = Promise.withResolvers<void>();
    const stop = api.services.news.listen((item) => item.kind === 'cancel' && asked.resolve());
    await asked.promise;
    stop();
    expect((await ask(api.app, `GET /actors/${id}`)).result.status).toBe('SHUTTING_DOWN');
    const late = await ask(api.app, `POST /actors/${id}/messages`, { json: { message: 'late' } });
    expect(late.status).toBe(400);
    await running.end({ end: 'cancelled' });
    expect((await deleted).message).toBe('Actor deleted successfully.');
  });
});
