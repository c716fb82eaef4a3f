/**
 * What abaco-cli and tapis-cli send (contract §§15.4, 15.5) and the reactors SDK (§15.6), by curl with the same
 * arguments, and of the answers what they read.
 *
 * Not here: init and deploy, which work on the disk and end in create or update; tapipy, which speaks another protocol;
 * config and schemas of reactors, which never leave the container. That x-nonce is
 * passed on is in contract-abaco/05-6-nonces.test.ts: a shell drops variables with a hyphen.
 */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ClientSite, canRunClients, startClientSite } from '../support/client-site.ts';
import { ensureProgramImage, removeProgramImage } from '../support/program-image.ts';
import { until } from '../support/until.ts';

const runs = await canRunClients();

const image = 'abaco-test-cli:1';

let site: ClientSite;
let base: string;
let actor: string;

beforeAll(async () => {
  if (!runs) return;
  await ensureProgramImage(image, 'echo "$MSG"; env; case "$MSG" in wait) sleep 60 ;; esac');
  site = await startClientSite();
  base = `${site.gateway.url}/actors/v2`;
  actor = (await create()).result.id;
});

afterAll(async () => {
  await site?.[Symbol.asyncDispose]();
  if (runs) await removeProgramImage(image);
});

interface Answer {
  readonly status: string;
  readonly message: string;
  readonly version: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- the wire is untyped; a wrong shape fails the test that reads it
  readonly result: any;
}

/** As the command lines call it; the proxy alone is ours. */
async function curl(...args: readonly string[]): Promise<string> {
  const proxy = ['--proxy', `http://127.0.0.1:${site.gateway.port}`];
  const { stdout } = await promisify(execFile)('curl', [...proxy, '-sk', ...args]);
  return stdout;
}

const bearer = (role: 'user' | 'admin' = 'user') => ['-H', `Authorization: Bearer ${site.token('olga', role)}`];
const asJson = ['-H', 'Content-Type: application/json'];

async function call(...args: readonly string[]): Promise<Answer> {
  return JSON.parse(await curl(...bearer(), ...args)) as Answer;
}

/** `abaco create -n NAME [-S] IMAGE`: without variables their field is null. */
async function create(stateless = true): Promise<Answer> {
  const data = `{"image":"${image}", "name":"cli", "privileged":false, "stateless":${stateless}, "force":false, "useContainerUid":false, "defaultEnvironment":null, "token":true}`;
  return await call('-X', 'POST', ...asJson, '--data', data, base);
}

const executionOf = async (id: string, of = actor) => await call(`${base}/${of}/executions/${id}`);

async function ended(id: string, of = actor): Promise<Answer> {
  return await until(
    async () => {
      const answer = await executionOf(id, of);
      return answer.result.status === 'COMPLETE' ? answer : undefined;
    },
    { timeoutMs: 30_000, what: `the end of ${id}` },
  );
}

const logsOf = async (id: string, of = actor): Promise<string> =>
  (await call(`${base}/${of}/executions/${id}/logs`)).result.logs;

describe.runIf(runs)('§15.4 abaco-cli', () => {
  it('create sends fields that POST does not know, and reads name and id', async () => {
    const { result } = await create();
    expect(result).toMatchObject({ name: 'cli', id: expect.any(String) });
    expect(result.token).toBe(true);
  });

  it('list reads name, id and status of all and of one', async () => {
    const { result } = await call(base);
    const found = (result as { id: string }[]).find(({ id }) => id === actor);
    expect(found).toMatchObject({ name: 'cli', status: expect.stringMatching(/^[A-Z]+$/) });
    expect((await call(`${base}/${actor}`)).result.id).toBe(actor);
  });

  it('update reads stateless first, and sends the rest as it stands without the name', async () => {
    const stateful = (await create(false)).result.id;
    const { stateless } = (await call(`${base}/${stateful}`)).result;
    const data = `{"image":"${image}", "privileged":false, "stateless":${stateless}, "force":true, "useContainerUid":false, "defaultEnvironment":{"A":"b"}, "token":true, "hints": "sync"}`;
    const { status, result } = await call('-X', 'PUT', ...asJson, '--data', data, `${base}/${stateful}`);
    expect(status).toBe('success');
    expect(result).toMatchObject({
      name: 'cli',
      revision: 2,
      stateless: false,
      hints: ['sync'],
      defaultEnvironment: { A: 'b' },
    });
  });

  it('delete reads the message', async () => {
    const { result } = await create();
    expect((await call('-X', 'DELETE', `${base}/${result.id}`)).message).toBe('Actor deleted successfully.');
  });

  it('submit sends text as a form with an empty query, and reads executionId and msg', async () => {
    const { result } = await call('-XPOST', '--data-urlencode', 'message=to be & not', `${base}/${actor}/messages?`);
    expect(result.msg).toBe('to be & not');
    await ended(result.executionId);
    expect(await logsOf(result.executionId)).toContain('MSG=to be & not\n');
  });

  it('submit sends JSON as it is, and what -q says as variables', async () => {
    const { result } = await call('-XPOST', ...asJson, '-d', '{"a": null}', `${base}/${actor}/messages?COLOUR=red`);
    await ended(result.executionId);
    const logs = await logsOf(result.executionId);
    expect(logs).toContain("MSG={'a': None}\n");
    expect(logs).toContain('COLOUR=red\n');
  });

  it('submit -x prints the answer as it comes', async () => {
    const path = `${base}/${actor}/messages?COLOUR=red&_abaco_synchronous=true`;
    const answer = await curl(...bearer(), '-XPOST', '--data-urlencode', 'message=now', path);
    expect(answer).toMatch(/^now\n/);
  });

  it('submit -Z shows a nonce and no token', async () => {
    const data = '{"maxUses":"1", "level":"EXECUTE", "description":"for a friend"}';
    const made = await call('-XPOST', ...asJson, '--data', data, `${base}/${actor}/nonces`);
    expect(made.result).toMatchObject({ maxUses: 1, remainingUses: 1, level: 'EXECUTE' });
    const path = `${base}/${actor}/messages?x-nonce=${made.result.id}`;
    const first = JSON.parse(await curl('-XPOST', '--data-urlencode', 'message=m', path)) as Answer;
    expect(first.result.executionId).toEqual(expect.any(String));
    const second = JSON.parse(await curl('-XPOST', '--data-urlencode', 'message=m', path)) as Answer;
    expect(second).toMatchObject({ status: 'error', result: null });
  });

  it('executions reads id and status of all, workerId and status of one, and logs the log', async () => {
    const { executionId } = (await call('-XPOST', '-d', 'message=hi', `${base}/${actor}/messages?`)).result;
    await ended(executionId);
    const { executions } = (await call(`${base}/${actor}/executions`)).result;
    expect((executions as { id: string }[]).find(({ id }) => id === executionId)).toMatchObject({ status: 'COMPLETE' });
    expect((await executionOf(executionId)).result).toMatchObject({
      workerId: expect.any(String),
      status: 'COMPLETE',
    });
    expect(await logsOf(executionId)).toMatch(/^hi\n/);
  });

  it('messages counts, and -X purges', async () => {
    expect((await call(`${base}/${actor}/messages`)).result.messages).toBe(0);
    expect((await call('-X', 'DELETE', `${base}/${actor}/messages`)).result.msg).toBe('Actor mailbox purged.');
  });

  it('workers sends a form with num, and reads the message, id and status', async () => {
    const path = `${base}/${actor}/workers`;
    const { message } = JSON.parse(await curl(...bearer('admin'), '-X', 'POST', '-d', 'num=2', path)) as Answer;
    expect(message).toMatch(/^(Scheduled \d new worker\(s\) to start\.|Actor \w+ already had)/);
    const workers = await until(
      async () => {
        const { result } = await call(path);
        return result.length >= 2 ? result : undefined;
      },
      { timeoutMs: 20_000, what: 'two workers' },
    );
    expect(workers[0]).toMatchObject({ id: expect.any(String), status: expect.any(String) });
    expect((await call(`${path}/${workers[0].id}`)).result.id).toBe(workers[0].id);
  });

  it('permissions reads a map, and gives', async () => {
    const data = '{"user": "jane", "level": "READ"}';
    const given = await call('-X', 'POST', ...asJson, '--data', data, `${base}/${actor}/permissions`);
    expect(given.result).toEqual({ olga: 'UPDATE', jane: 'READ' });
    expect((await call(`${base}/${actor}/permissions`)).result).toEqual(given.result);
  });

  it('nonces are made, listed and deleted', async () => {
    const path = `${base}/${actor}/nonces`;
    const data = '{"maxUses":"-1", "level":"READ", "description":""}';
    const { id } = (await call('-XPOST', ...asJson, '--data', data, path)).result;
    const found = ((await call(path)).result as { id: string }[]).find((each) => each.id === id);
    expect(found).toMatchObject({ maxUses: -1, remainingUses: -1, level: 'READ', owner: 'olga', lastUseTime: 'None' });
    expect(found).toMatchObject({ actorId: actor, description: '' });
    expect((await call('-X', 'DELETE', `${path}/${id}`)).message).toBe('Actor nonce deleted successfully.');
  });

  it('aliases are looked for first, whose absence reads as null, then made, listed and deleted', async () => {
    expect((await call(`${base}/aliases/calc`)).result).toBeNull();
    const data = `{"actorId":"${actor}", "alias":"calc"}`;
    const made = await call('-XPOST', ...asJson, '--data', data, `${base}/aliases`);
    expect(made.result).toMatchObject({ alias: 'calc', actorId: actor, owner: 'olga' });
    expect((await call(`${base}/aliases`)).result).toEqual([made.result]);
    expect((await call('-X', 'DELETE', `${base}/aliases/calc`)).message).toBe('Alias calc deleted successfully.');
  });

  it('version reads the version of a listing that became a search', async () => {
    const { version, result } = await call(`${base}?limit=1`);
    expect(version).toBe('dev');
    expect(Object.keys(result).toSorted()).toEqual(['_metadata', 'search']);
  });
});

describe.runIf(runs)('§15.5 tapis-cli', () => {
  it('submit says that it does not wait, and run prints the body', async () => {
    const message = ['-X', 'POST', ...asJson, '--data', '{"message": "hi"}'];
    const sent = await call(...message, `${base}/${actor}/messages?_abaco_synchronous=False`);
    expect(sent.result.executionId).toEqual(expect.any(String));
    expect(await curl(...bearer(), ...message, `${base}/${actor}/messages?_abaco_synchronous=True`)).toMatch(/^hi\n/);
  });

  it('execs stop counts messages, purges and counts again; those that waited end', async () => {
    const { result } = await create(false);
    const path = `${base}/${result.id}/messages`;
    const first = (await call('-X', 'POST', '-d', 'message=wait', path)).result.executionId;
    await until(async () => (await executionOf(first, result.id)).result.status === 'RUNNING' || undefined, {
      timeoutMs: 30_000,
      what: 'the first to run',
    });
    const second = (await call('-X', 'POST', '-d', 'message=later', path)).result.executionId;
    expect((await call(path)).result.messages).toBe(1);
    await call('-X', 'DELETE', path);
    expect((await call(path)).result.messages).toBe(0);
    expect((await executionOf(second, result.id)).result.status).toBe('COMPLETE');
    expect((await executionOf(first, result.id)).result.status).toBe('RUNNING');
    await call('-X', 'DELETE', `${base}/${result.id}`);
  });

  it('workers delete, pems revoke and nonces of an alias work as it sends them', async () => {
    const revoked = await call(
      '-X',
      'POST',
      ...asJson,
      '-d',
      '{"user": "jane", "level": "NONE"}',
      `${base}/${actor}/permissions`,
    );
    expect(revoked.result).toMatchObject({ jane: 'NONE' });
    await call('-X', 'POST', ...asJson, '-d', `{"alias": "run", "actorId": "${actor}"}`, `${base}/aliases`);
    const nonce = await call(
      '-X',
      'POST',
      ...asJson,
      '-d',
      '{"level": "EXECUTE", "maxUses": 1}',
      `${base}/aliases/run/nonces`,
    );
    const sent = JSON.parse(
      await curl('-X', 'POST', '-d', 'message=m', `${base}/run/messages?x-nonce=${nonce.result.id}`),
    ) as Answer;
    expect(sent.result.executionId).toEqual(expect.any(String));
    // An update of an alias is a deletion and a creation.
    await call('-X', 'DELETE', `${base}/aliases/run`);
    const again = await call(
      '-X',
      'POST',
      ...asJson,
      '-d',
      `{"alias": "run", "actorId": "${actor}"}`,
      `${base}/aliases`,
    );
    expect(again.status).toBe('success');
  });
});

describe.runIf(runs)('§15.6 the reactors SDK', () => {
  it('sends a message to an id or an alias with who it is in the query', async () => {
    await call('-X', 'POST', ...asJson, '-d', `{"alias": "reactor", "actorId": "${actor}"}`, `${base}/aliases`);
    const query = 'x_src_actor_id=A&x_src_execution_id=E&x_session=calm-sun&x_src_uuid=u';
    const data = '{"message": {"key": "value", "flag": true}}';
    const { result } = await call('-X', 'POST', ...asJson, '-d', data, `${base}/reactor/messages?${query}`);
    await ended(result.executionId);
    const logs = await logsOf(result.executionId);
    expect(logs).toContain("MSG={'key': 'value', 'flag': True}\n");
    for (const line of ['x_src_actor_id=A', 'x_src_execution_id=E', 'x_session=calm-sun', 'x_src_uuid=u']) {
      expect(logs).toContain(`${line}\n`);
    }
  });

  it('stops at 404, which is an actor that is not there, and at no other error', async () => {
    const statusOf = async (path: string, ...args: readonly string[]) =>
      await curl(...args, '-o', '/dev/null', '-w', '%{http_code}', '-X', 'POST', '-d', 'message=m', path);
    expect(await statusOf(`${base}/nobody/messages`, ...bearer())).toBe('404');
    expect(await statusOf(`${base}/${actor}/messages`)).toBe('400');
  });

  it('makes a webhook of a nonce that its pattern finds again, and takes it back', async () => {
    const path = `${base}/${actor}/nonces`;
    const { id } = (await call('-X', 'POST', ...asJson, '-d', '{"level": "EXECUTE", "maxUses": -1}', path)).result;
    const webhook = `${base}/${actor}/messages?x-nonce=${id}`;
    const sent = JSON.parse(await curl('-X', 'POST', ...asJson, '-d', '{"event": "done"}', webhook)) as Answer;
    await ended(sent.result.executionId);
    expect(await logsOf(sent.result.executionId)).toMatch(/^\{'event': 'done'\}\n/);
    const [, found] = /x-nonce=([A-Z0-9a-z.-]+_[A-Z0-9a-z]+)/.exec(webhook) ?? [];
    expect(found).toBe(id);
    expect((await call('-X', 'DELETE', `${path}/${found}`)).status).toBe('success');
    const refused = JSON.parse(await curl('-X', 'POST', ...asJson, '-d', '{"event": "done"}', webhook)) as Answer;
    expect(refused).toMatchObject({ status: 'error', message: expect.stringContaining('Nonce does not exist.') });
  });
});
