/** PUT of an actor where compat.put = "merge": what it leaves out stays. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { as, type Client, startClient } from '../../support/abaco-client.ts';
import type { Answer } from '../../support/api-requests.ts';
import { programAvailable } from '../../support/program.ts';
import { requireService } from '../../support/services.ts';

const olga = as('olga');

const settings = {
  image: 'debian:other',
  name: 'kept',
  description: 'first',
  stateless: false,
  type: 'json',
  webhook: 'https://example.org/hook',
  token: true,
  hints: ['sync', 'gpu'],
  privileged: true,
  mem_limit: '1g',
  max_cpus: 1_000_000_000,
  use_container_uid: true,
  default_environment: { A: '1', b: { c: [true, null] } },
  log_ex: 60,
  cron_schedule: 'now + 3 hours',
  resources: { cpus: 2, memory: '1536m', gpus: 'a100:2', walltime: '26:00:00', partition: 'long' },
  keep_scratch: true,
};

describe.runIf(requireService('redis', await programAvailable('redis-server')))('PUT with compat.put = "merge"', () => {
  let client: Client;
  beforeAll(async () => {
    client = await startClient('[compat]\nput = "merge"\n');
  });
  afterAll(async () => await client?.[Symbol.asyncDispose]());

  const put = (actor: string, json: object, who = as('olga', 'admin')): Promise<Answer> =>
    client.send(`PUT /actors/${actor}`, who, { json });
  const get = async (actor: string) => (await client.send(`GET /actors/${actor}`, olga)).result;

  it('changes what it says, and nothing else', async () => {
    const target = await client.register();
    const actor = await client.register('olga', { ...settings, link: target });
    await client.send(`POST /actors/${actor}/state`, olga, { json: { count: 1 } });
    const before = await get(actor);
    expect(before).toMatchObject({ ...settings, link: target, cron_on: true });
    const { status, text, result } = await put(actor, { description: 'second' });
    expect(status, text).toBe(200);
    const { last_update_time: updated } = result;
    expect(result).toEqual({ ...before, description: 'second', last_update_time: updated });
    expect(await put(actor, {})).toMatchObject({ status: 200, result: { description: 'second', revision: 1 } });
    const forced = await put(actor, { force: true });
    expect(forced.result).toMatchObject({ ...settings, description: 'second', revision: 2, status: 'SUBMITTED' });
  });

  it('keeps no link to an actor that is gone', async () => {
    const target = await client.register();
    const actor = await client.register('olga', { link: target });
    expect((await client.send(`DELETE /actors/${target}`, olga)).status).toBe(200);
    expect(await put(actor, { description: 'second' })).toMatchObject({ status: 200, result: { link: '' } });
  });

  it('leaves a token that nobody has set to the configuration, and a whole mapping to who names it', async () => {
    const actor = await client.register('olga', { default_environment: { A: '1', B: '2' }, stateless: true });
    const { result } = await put(actor, { defaultEnvironment: { C: '3' } });
    expect(result).toMatchObject({ token: 'false', default_environment: { C: '3' } });
    const byQuery = await client.send(`PUT /actors/${actor}?description=query`, olga, { form: 'logEx=5&hints=one' });
    expect(byQuery.result).toMatchObject({ description: 'query', log_ex: 5, hints: ['one'] });
    expect(byQuery.result).toMatchObject({ default_environment: { C: '3' } });
  });

  it('returns to the default what is null, and needs an image that is not', async () => {
    const actor = await client.register('olga', settings);
    const nothing = { hints: null, mem_limit: null, cron_schedule: null, resources: null, defaultEnvironment: null };
    const { result } = await put(actor, nothing);
    expect(result).toMatchObject({ hints: [], mem_limit: null, cron_schedule: null, cron_on: false, log_ex: 60 });
    expect(result).toMatchObject({ default_environment: {} });
    expect(result).not.toHaveProperty('resources');
    expect((await put(actor, { image: null })).message).toContain("'image'");
    expect((await put(actor, { stateless: null })).status).toBe(400);
  });

  it('gives no user what is not theirs to set by leaving it out', async () => {
    const actor = await client.register('olga', { privileged: true });
    const refused = await put(actor, { image: 'another' }, olga);
    expect(refused).toMatchObject({ status: 400, message: expect.stringContaining('make privileged actors') });
    expect(await get(actor)).toMatchObject({ image: 'debian', privileged: true });
    const dropped = await put(actor, { image: 'another', privileged: false }, olga);
    expect(dropped.result).toMatchObject({ image: 'another', privileged: false });
  });

  it('loses nothing of several at once', async () => {
    const actor = await client.register();
    const changes = [{ description: 'd' }, { type: 'bin' }, { log_ex: 7 }, { hints: ['h'] }, { image: 'other' }];
    const answers = await Promise.all(changes.map(async (change) => await put(actor, change)));
    expect(answers.map(({ status }) => status)).toEqual(changes.map(() => 200));
    expect(await get(actor)).toMatchObject(Object.assign({}, ...changes) as object);
  });

  it('is still refused where If-Match names another version', async () => {
    const actor = await client.register();
    const { headers } = await client.send(`GET /actors/${actor}`, olga);
    const ifMatch = { ...olga, 'if-match': String(headers['etag']) };
    expect((await put(actor, { description: 'mine' }, ifMatch)).status).toBe(200);
    expect((await put(actor, { description: 'late' }, ifMatch)).status).toBe(412);
    expect(await get(actor)).toMatchObject({ description: 'mine' });
  });
});
