/**
 * Contract §9: what a program sees, told by programs on the real engine.
 *
 * Not here: what a person's uid, groups and home become (e2e/owners.test.ts), images of registries and their
 * credentials (contract/launchers/docker-images.test.ts), limits of processors and processes
 * (docker-confinement.test.ts), the original's ways to its people (TAS), links and cron (11, 12), the token (10).
 * `_actor_configs` is with configs.
 *
 * That a message brings no variable such as LD_PRELOAD over the image's (§9.2) is in 07-06-messages.test.ts.
 *
 * Changed knowingly: the message is a file and no pipe, and the results' socket is read all the time; both are what
 * §9.6 recommends. A log is cut by its bytes and not by its characters (§9.7), as it is kept by a process that does not
 * read it, and a site wants to know what it takes on disk; text that is not plain ASCII is cut sooner. An image is
 * pulled, and its tag read, once for a revision of the actor and not at each start of a worker (§9.8): messages before
 * and after a tag has moved run the same program (contract/launchers/docker-images.test.ts), and PUT with `force` makes
 * the next revision. An image that is not found puts the actor into ERROR as there (08-lifecycles.test.ts), in a
 * sentence of ours that names the image, what its registry says and what would help, and not `Image X was not found on
 * the public registry.`: registries here need not be public, and no client reads it.
 */

import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AbacoUp, startAbacoUp } from '../support/abaco-up.ts';
import { connectDocker, dockerAvailable, nativeAvailable } from '../support/docker.ts';
import { programAvailable } from '../support/program.ts';
import { ensureProgramImage, removeProgramImage } from '../support/program-image.ts';
import { requireService } from '../support/services.ts';
import { makeTestDirectory, type TestDirectory } from '../support/test-directory.ts';
import { until } from '../support/until.ts';

const runs = [
  requireService('redis', await programAvailable('redis-server')),
  requireService('docker', await dockerAvailable()),
  requireService('native', await nativeAvailable()),
].every(Boolean);

/** Runs what the actor's environment says, before a shell could drop variables. */
const image = 'abaco-test-container:1';

let directory: TestDirectory;
let up: AbacoUp;

beforeAll(async () => {
  if (!runs) return;
  await ensureProgramImage(image, 'eval "$RUN"');
  directory = await makeTestDirectory('container');
  for (const name of ['read', 'write']) await mkdir(join(directory.path, name));
  await writeFile(join(directory.path, 'read', 'file'), 'from the host');
  const site = join(directory.path, 'site.toml');
  await writeFile(
    site,
    `[tenants.DEV]
mode = "none"
[tenants.BRIEF]
mode = "none"
log_keep = "1s"
[mounts.read]
container = "/read"
path = "${directory.path}/read"
[mounts.write]
container = "/write/{username}"
mode = "rw"
path = "${directory.path}/write"
[executions]
max_run_time = "2s"
grace = "500ms"
[logs]
max_bytes = "10 KB"
`,
  );
  up = await startAbacoUp({ ABACO_CONFIG: site });
});

afterAll(async () => {
  await up?.[Symbol.asyncDispose]();
  await directory?.[Symbol.asyncDispose]();
  if (runs) await removeProgramImage(image);
});

async function call(path: string, init: RequestInit = {}, tenant = 'DEV'): Promise<Record<string, unknown>> {
  const headers = new Headers({ ...(init.headers as Record<string, string> | undefined), tenant });
  const answer = await fetch(`${up.url}${path}`, { ...init, headers });
  const { result, message } = (await answer.json()) as { result: Record<string, unknown>; message: string };
  if (!answer.ok) throw new Error(message);
  return result;
}

const post = (body: object | Buffer, type = 'application/json'): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': type },
  body: Buffer.isBuffer(body) ? new Uint8Array(body) : JSON.stringify(body),
});

interface Ran {
  readonly actor: string;
  readonly execution: Record<string, unknown>;
  readonly log: string;
  readonly results: () => Promise<readonly Buffer[]>;
}

/** Runs `script` for one message of an actor of its own. */
async function run(script: string, message: RequestInit = post({ message: 'm' }), more: Options = {}): Promise<Ran> {
  const { environment = {}, query = '', tenant = 'DEV', ...settings } = more;
  const made = await call(
    '/actors',
    post({ image, default_environment: { RUN: script, ...environment }, ...settings }),
    tenant,
  );
  return await send(String(made['id']), message, { query, tenant });
}

async function send(actor: string, message: RequestInit, { query = '', tenant = 'DEV' }: Options = {}): Promise<Ran> {
  const sent = await call(`/actors/${actor}/messages${query}`, message, tenant);
  const path = `/actors/${actor}/executions/${String(sent['execution_id'])}`;
  const execution = await until(
    async () => {
      const found = await call(path, {}, tenant);
      return found['status'] === 'COMPLETE' ? found : undefined;
    },
    { timeoutMs: 30_000, what: `the end of ${path}` },
  );
  return {
    actor,
    execution,
    log: String((await call(`${path}/logs`, {}, tenant))['logs']),
    async results() {
      const all: Buffer[] = [];
      for (;;) {
        const answer = await fetch(`${up.url}${path}/results`);
        const body = Buffer.from(await answer.arrayBuffer());
        if (body.length === 0) return all;
        all.push(body);
      }
    },
  };
}

interface Options {
  readonly environment?: object;
  readonly query?: string;
  readonly name?: string;
  readonly stateless?: boolean;
  readonly mem_limit?: string;
  readonly log_ex?: number;
  readonly tenant?: string;
}

async function environmentOf(message?: RequestInit, more?: Options): Promise<Readonly<Record<string, string>>> {
  const { log } = await run('cat /proc/$$/environ', message, more);
  const entries = log.split('\0').filter((line) => line.includes('='));
  return Object.fromEntries(
    entries.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
}

describe.runIf(runs)('§9.1 the command', () => {
  it('is that of the image, with no standard input', async () => {
    expect((await run('cat; echo "end $#"')).log).toBe('end 0\n');
  });
});

describe.runIf(runs)('§9.2 the environment', () => {
  it('has the variables of the contract', async () => {
    const environment = await environmentOf(undefined, { name: 'named', stateless: false });
    expect(environment).toMatchObject({
      MSG: 'm',
      _abaco_Content_Type: 'str',
      '_abaco_Content-Type': 'str',
      _abaco_actor_name: 'named',
      _abaco_actor_state: '{}',
      _abaco_actor_revision: '1',
      _abaco_container_repo: image,
      _abaco_username: 'anonymous',
      _abaco_api_server: expect.stringMatching(/^http:\/\//),
      _abaco_access_token: expect.stringMatching(/^abaco_x1\./),
      _abaco_worker_id: expect.stringMatching(/^[A-Za-z0-9]+$/),
      _abaco_execution_id: expect.stringMatching(/^[A-Za-z0-9]+$/),
    });
    expect(environment['_abaco_actor_dbid']).toMatch(new RegExp(`^[A-Z-]+_${environment['_abaco_actor_id'] ?? '-'}$`));
    expect(environment).not.toHaveProperty('_abaco_jwt_header_name');
  });

  it('has the digits of numbers of the state and of the default environment, and the order of keys', async () => {
    const exact = '{"job": 9223372036854775807, "10": 1.0, "9": [true]}';
    const settings = `{"image": "${image}", "stateless": false, "default_environment": {"RUN": "cat /proc/$$/environ", "EXACT": ${exact}}}`;
    const { id } = await call('/actors', post(Buffer.from(settings)));
    const actor = String(id);
    await call(`/actors/${actor}/state`, post(Buffer.from(exact)));
    const { log } = await send(actor, post({ message: 'm' }));
    const python = "{'job': 9223372036854775807, '10': 1.0, '9': [True]}";
    expect(log.split('\0')).toContain(`_abaco_actor_state=${python}`);
    // As JavaScript has the order of the keys inside.
    expect(log.split('\0')).toContain("EXACT={'9': [True], '10': 1.0, 'job': 9223372036854775807}");
  });

  it('has "None" for an actor without a name', async () => {
    expect((await environmentOf())['_abaco_actor_name']).toBe('None');
  });

  it('lets the query win over the actor, and the server over both', async () => {
    const environment = await environmentOf(undefined, {
      environment: { A: 'actor', B: 'actor', _abaco_username: 'jane' },
      query: '?B=query&_abaco_worker_id=mine&MSG=mine&x-any=1',
    });
    expect(environment).toMatchObject({ A: 'actor', B: 'query', MSG: 'm', 'x-any': '1', _abaco_username: 'anonymous' });
    expect(environment['_abaco_worker_id']).not.toBe('mine');
  });

  it('keeps that of the image underneath', async () => {
    expect((await environmentOf())['PATH']).toBe('/bin');
  });

  it('has no MSG with a binary message', async () => {
    const environment = await environmentOf(post(Buffer.from('bytes'), 'application/octet-stream'));
    expect(environment).not.toHaveProperty('MSG');
    expect(environment['_abaco_Content_Type']).toBe('application/octet-stream');
  });
});

describe.runIf(runs)('§9.3 values', () => {
  it('are written as Python does: JSON messages, states, variables of the actor', async () => {
    const message = post({ event: "it's", flag: true, none: null, big: 1e16, list: ['ü\n'] });
    const environment = await environmentOf(message, { environment: { MAP: { a: [1, false] }, NONE: null } });
    expect(environment['MSG']).toBe(
      `{'event': "it's", 'flag': True, 'none': None, 'big': 10000000000000000, 'list': ['ü\\n']}`,
    );
    expect(environment['MAP']).toBe("{'a': [1, False]}");
    expect(environment['_abaco_Content_Type']).toBe('application/json');
    expect(environment).not.toHaveProperty('NONE');
  });
});

describe.runIf(runs)('§9.4 the user', () => {
  it('is that of the image where nobody says who the owner is', async () => {
    expect((await run('id -u')).log).toBe('0\n');
  });
});

describe.runIf(runs)('§9.5 mounts', () => {
  it('are where the site says, and those that are to be read cannot be written', async () => {
    const script = 'cat /read/file; touch /read/other || echo " refused"; echo in >/write/anonymous/file';
    const { actor, log } = await run(script);
    expect(log).toMatch(/^from the host/);
    expect(log).toContain('refused');
    expect(await readdir(join(directory.path, 'read'))).toEqual(['file']);
    expect(await readdir(join(directory.path, 'write'))).toEqual(['file']);
    expect((await call(`/actors/${actor}`))['mounts']).toEqual([
      { host_path: join(directory.path, 'read'), container_path: '/read', mode: 'ro' },
      { host_path: join(directory.path, 'write'), container_path: '/write/anonymous', mode: 'rw' },
    ]);
  });
});

describe.runIf(runs)('§9.6 results', () => {
  it('go through a datagram socket that everybody may write to, and come in the order sent', async () => {
    const script = 'ls -lL /_abaco_results.sock; for i in 1 2 3; do echo $i | /_abaco/bin/result; done';
    const { log, results } = await run(script);
    expect(log).toMatch(/^srwxrwxrwx/);
    expect((await results()).map(String)).toEqual(['1\n', '2\n', '3\n']);
  });

  it('are bytes, 131,072 at most: longer ones are refused to the program instead of being cut', async () => {
    const script =
      'head -c 131072 /dev/zero | /_abaco/bin/result; head -c 131073 /dev/zero | /_abaco/bin/result || echo refused';
    const { log, results } = await run(script);
    expect((await results()).map(({ length }) => length)).toEqual([131_072]);
    expect(log).toContain('refused');
  });
});

describe.runIf(runs)('§9.6 a binary message', () => {
  it('lies whole in a file that ends, however long it is', async () => {
    const message = post(Buffer.alloc(3_000_000, 'x'), 'application/octet-stream');
    const script = 'cat /_abaco_binary_data >/tmp/copy; ls -l /tmp/copy; ls -lL /_abaco_binary_data';
    const [copy, original] = (await run(script, message)).log.split('\n');
    expect(copy).toContain(' 3000000 ');
    expect(original).toMatch(/^-r..r..r../);
  });
});

describe.runIf(runs)('§9.7 the log', () => {
  it('is both streams as they came, in UTF-8, and there once the execution is COMPLETE', async () => {
    expect((await run('echo ä; echo 2 >&2; echo 3; echo 4 >&2')).log).toBe('ä\n2\n3\n4\n');
  });

  it('is cut where it is too long, and says so', async () => {
    const { log } = await run('yes | head -c 20000');
    expect(log.length).toBeLessThan(10_200);
    expect(log).toMatch(/ LOG LIMIT EXCEEDED; this execution log was TRUNCATED!\s*$/);
  });

  it.each([
    ['of its actor', { log_ex: 1 }],
    ['of its tenant, where the actor says nothing', { tenant: 'BRIEF' }],
  ])('is empty after the age %s, while the execution stays', async (_whose, options: Options) => {
    const { actor, execution } = await run('echo soon gone', undefined, options);
    const path = `/actors/${actor}/executions/${String(execution['id'])}`;
    await until(async () => (await call(`${path}/logs`, {}, options.tenant))['logs'] === '' || undefined, {
      timeoutMs: 30_000,
      what: 'the log to expire',
    });
    expect((await call(path, {}, options.tenant))['status']).toBe('COMPLETE');
  });
});

describe.runIf(runs)('§9.8 limits', () => {
  it('end a program that takes more memory than its actor may, which is COMPLETE and says so', async () => {
    const { execution } = await run('dd if=/dev/zero of=/dev/null bs=200M count=1', undefined, { mem_limit: '32m' });
    expect(execution['status']).toBe('COMPLETE');
    expect(execution['exit_code']).not.toBe(0);
  });

  it('end a program at its run time, which is COMPLETE', async () => {
    const { execution } = await run('sleep 600');
    expect(execution['status']).toBe('COMPLETE');
    expect(execution['exit_code']).not.toBe(0);
  });

  it.each([
    ['those of the site, where its actor says nothing', {}, { Memory: 512 * 1024 ** 2, NanoCpus: 1e9 }],
    ['those of its actor', { mem_limit: '64m', max_cpus: 5e8 }, { Memory: 64 * 1024 ** 2, NanoCpus: 5e8 }],
    ['none, where its actor says -1', { mem_limit: '-1', max_cpus: -1 }, { Memory: 0, NanoCpus: 0 }],
  ])('of memory and processors are %s', async (_whose, settings, expected) => {
    const { id } = await call('/actors', post({ image, default_environment: { RUN: 'sleep 60' }, ...settings }));
    const { execution_id: name } = await call(`/actors/${String(id)}/messages`, post({ message: 'm' }));
    const docker = connectDocker();
    const container = await until(async () => (await docker.listContainers({ filters: { name: [String(name)] } }))[0], {
      timeoutMs: 30_000,
      what: 'the container',
    });
    expect((await docker.getContainer(container.Id).inspect()).HostConfig).toMatchObject(expected);
  });

  it('are those of one container, which is removed after its run', async () => {
    const { execution } = await run('true');
    const filters = { name: [String(execution['id'])] };
    await until(async () => (await connectDocker().listContainers({ all: true, filters })).length === 0 || undefined, {
      timeoutMs: 15_000,
      what: 'the container to be removed',
    });
    expect(execution['exit_code']).toBe(0);
  });
});
