/**
 * Contract §7.1: the attributes of an actor, their defaults, and who sets them.
 *
 * Not here: what only privileged users may set (05-1-jwt.test.ts), link (11-events.test.ts), cron (12-cron.test.ts),
 * uid, gid, tasdir and mounts (e2e/owners.test.ts). That `type` and `description` are never acted on is no event.
 *
 * Beyond the key set of the contract, where there is something to say: `digest` of the image once the actor is READY, `wait`
 * while it is SUBMITTED for a reason, and `keep_scratch`, `launcher` and `resources` where it was given them.
 */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { as, type Client, startClient } from '../support/abaco-client.ts';

const olga = as('olga');
let client: Client;

beforeAll(async () => {
  client = await startClient();
});

afterAll(async () => {
  await client[Symbol.asyncDispose]();
});

const register = (json: object, who = olga) => client.send('POST /actors', who, { json: { image: 'debian', ...json } });

const attributes =
  '_links create_time cron_next_ex cron_on cron_schedule default_environment description gid hints id image ' +
  'last_update_time link log_ex max_cpus max_workers mem_limit mounts name owner privileged queue revision state ' +
  'stateless status status_message tasdir token type uid use_container_uid webhook';

const withOurs = (...ours: readonly string[]): readonly string[] => [...attributes.split(' '), ...ours].toSorted();

describe('§7.1 an actor', () => {
  it('is shown with exactly the attributes of the contract; those of ours appear where they are used', async () => {
    const created = (await register({})).result;
    const actor = { tenant: 'PHYSICS', actorId: created.id as string };
    const keys = async () => {
      const shown = (await client.send(`GET /actors/${actor.actorId}`, olga)).result;
      return [shown.status, Object.keys(shown as object).toSorted()];
    };
    const { actors } = client.api.services;
    expect(Object.keys(created as object).toSorted()).toEqual(withOurs());
    expect(await keys()).toEqual(['SUBMITTED', withOurs()]);
    const wait = { cause: 'pulling', since: new Date(), owner: 'registry', next: 'it goes on' } as const;
    await actors.markWaiting(actor, 1, wait);
    expect(await keys()).toEqual(['SUBMITTED', withOurs('wait')]);
    await actors.markReady(actor, 1, `sha256:${'0'.repeat(64)}`);
    expect(await keys()).toEqual(['READY', withOurs('digest')]);
  });

  it('is shown with what of ours it was given', async () => {
    const given = { resources: { walltime: '1m' }, launcher: 'local', keep_scratch: true };
    const { result, text } = await client.send('POST /actors', as('root', 'admin'), {
      json: { image: 'debian', ...given },
    });
    expect(Object.keys((result ?? {}) as object).toSorted(), text).toEqual(withOurs(...Object.keys(given)));
  });

  it('has the defaults of the contract', async () => {
    expect((await register({})).result).toMatchObject({
      name: null,
      description: '',
      stateless: true,
      type: 'none',
      link: '',
      webhook: '',
      token: 'false',
      hints: [],
      privileged: false,
      max_workers: null,
      mem_limit: null,
      max_cpus: null,
      use_container_uid: false,
      default_environment: {},
      queue: 'default',
      log_ex: null,
      cron_schedule: null,
      cron_on: false,
      cron_next_ex: null,
      state: {},
      status: 'SUBMITTED',
      status_message: '',
      owner: 'olga',
      revision: 1,
    });
  });

  it('hides db_id, tenant and api_server', async () => {
    for (const hidden of ['db_id', 'tenant', 'api_server', 'executions']) {
      expect((await register({})).result).not.toHaveProperty(hidden);
    }
  });

  it('links to itself, its owner and its executions', async () => {
    const { result } = await register({});
    const base = /^(https?:\/\/.+)\/actors\/v2\//.exec(result._links.self as string)?.[1];
    expect(result._links).toEqual({
      self: `${base}/actors/v2/${result.id}`,
      owner: `${base}/profiles/v2/olga`,
      executions: `${base}/actors/v2/${result.id}/executions`,
    });
  });

  it('has a status message of one space once it is READY', async () => {
    const { result } = await client.send(`GET /actors/${await client.register()}`, olga);
    expect(result).toMatchObject({ status: 'READY', status_message: ' ' });
  });
});

describe('§7.1 name', () => {
  it('is free text that need not be the only one', async () => {
    for (const _ of [1, 2]) expect((await register({ name: 'two words, ü' })).result.name).toBe('two words, ü');
  });
});

describe('§7.1 hints', () => {
  it.each(['a"b', "a'b", '{a', 'a}', '[a', 'a]'])('are not %j', async (hint) => {
    const { status, message } = await register({ hints: ['sync', hint] });
    expect(status).toBe(400);
    expect(message).toContain('hint');
  });

  it('are shown as they were given, also one alone', async () => {
    expect((await register({ hints: 'sync' })).result.hints).toEqual(['sync']);
  });
});

describe('§7.1 what the server sets', () => {
  it('is not taken from a user', async () => {
    const theirs = { status: 'READY', uid: '0', gid: '0', tasdir: '/', owner: 'jane', revision: 9, id: 'Rr' };
    const { result } = await register({
      ...theirs,
      status_message: 'x',
      cron_next_ex: '2027-01-01 00',
      state: { a: 1 },
    });
    expect(result).toMatchObject({
      status: 'SUBMITTED',
      uid: null,
      gid: null,
      tasdir: null,
      owner: 'olga',
      revision: 1,
    });
    expect(result).toMatchObject({ status_message: '', cron_next_ex: null, state: {} });
    expect(result.id).not.toBe('Rr');
  });
});

describe('§7.1 token', () => {
  it.each([
    [true, true],
    ['false', false],
  ])('given as %j is a boolean', async (token, shown) => {
    expect((await register({ token })).result.token).toBe(shown);
  });

  it('not given is the text of compat.default_token', async () => {
    await using other = await startClient('[compat]\ndefault_token = "true"\n');
    const { result } = await other.send('POST /actors', olga, { json: { image: 'debian' } });
    expect(result.token).toBe('true');
  });

  it('is that of the tenant, where it has one, before that of the service', async () => {
    await using other = await startClient('default_token = "true"\n[compat]\ndefault_token = "boolean"\n');
    const { result } = await other.send('POST /actors', olga, { json: { image: 'debian' } });
    expect(result.token).toBe('true');
  });

  it('not given is a boolean with compat.default_token = "boolean"', async () => {
    await using strict = await startClient('[compat]\ndefault_token = "boolean"\n');
    const { result } = await strict.send('POST /actors', olga, { json: { image: 'debian' } });
    expect(result.token).toBe(false);
  });
});
