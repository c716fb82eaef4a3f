/** `abaco clusters …` as an operator types it, and what an execution says that waits for a login. */

import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import ssh2 from 'ssh2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AbacoUp, runAbaco, startAbacoUp } from '../support/abaco-up.ts';
import { agentAvailable } from '../support/agent-files.ts';
import { programAvailable } from '../support/program.ts';
import { startRegistry, type TestRegistry } from '../support/registry-server.ts';
import { requireService } from '../support/services.ts';
import { type SshServer, sshServerAvailable, startSshServer } from '../support/ssh-server.ts';
import { runInTerminal } from '../support/terminal.ts';
import { makeTestDirectory, type TestDirectory } from '../support/test-directory.ts';
import { makeTestKey } from '../support/tokens.ts';
import { until } from '../support/until.ts';

const canRun =
  requireService('sshd', await sshServerAvailable()) &&
  requireService('agent', await agentAvailable()) &&
  requireService('registry', await programAvailable('docker-registry')) &&
  requireService('redis', await programAvailable('redis-server'));

interface Wait {
  readonly cause: string;
  readonly owner: string;
  readonly next: string;
}

describe.runIf(canRun)('abaco clusters', () => {
  let server: SshServer;
  let registry: TestRegistry;
  let directory: TestDirectory;
  let site: string;
  let up: AbacoUp | undefined;
  const at = (file: string): string => join(directory.path, file);

  const clusters = async (...args: readonly string[]) =>
    await runAbaco(['clusters', ...args, '--config', site, '--data-dir', up?.dataDir ?? at('data')]);

  beforeAll(async () => {
    server = await startSshServer();
    registry = await startRegistry();
    await putEmptyImage(registry.address);
    directory = await makeTestDirectory('clusters');
    site = at('site.toml');
    await writeFile(at('known_hosts'), `${server.hostLine}\n`);
    await writeFile(at('secret'), `${Buffer.alloc(32, 7).toString('base64')}\n`, { mode: 0o600 });
    await writeFile(at('key.pem'), makeTestKey().privatePem, { mode: 0o600 });
    const common = `
kind = "slurm"
host = "127.0.0.1"
port = ${server.target.port}
user = "${server.target.user}"
key_file = "${join(server.directory, 'user')}"
known_hosts_file = "${at('known_hosts')}"
directory = "${at('shared')}"
work = "${at('shared')}/{username}"
`;
    const withLogin = `
[auth]
default_tenant = "LAB"
[tenants.LAB]
development_key_file = "key.pem"
[tenants.LAB.users.alice]
uid = 10001
gid = 20000
[queues.hpc]
launcher = "hpc"
who = "user"
[registries."${registry.address}"]
insecure = true
[launchers.hpc]${common}transport = "openssh"
`;
    const withKeys = `[launchers.keyed]${common}keys_dir = "${at('keys')}"\nkeys_secret_file = "${at('secret')}"\n`;
    await writeFile(at('service.toml'), withLogin);
    await writeFile(site, withLogin + withKeys);
  });

  afterAll(async () => {
    await clusters('logout', 'hpc');
    await up?.[Symbol.asyncDispose]();
    await directory[Symbol.asyncDispose]();
    await registry[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  }, 60_000);

  it('shows who comes in where, and that a login is missing', async () => {
    const table = await clusters('status');
    expect(table.exitCode).toBe(1);
    expect(table.output).toMatch(/^hpc +root@127\.0\.0\.1:\d+ +openssh +sudo +needs a login$/m);
    expect(table.output).toMatch(/^keyed +root@127\.0\.0\.1:\d+ +ssh2 +keys +-$/m);
    const { output } = await clusters('status', 'keyed', '--json');
    expect(JSON.parse(output)).toEqual([
      { name: 'keyed', address: expect.any(String) as string, transport: 'ssh2', users: 'keys' },
    ]);
    expect((await clusters('status', 'nowhere')).errors).toContain('"nowhere" is not in the configuration');
  });

  it('prints the line of sudo', async () => {
    const { output } = await clusters('sudoers', 'hpc', '--group', 'science');
    expect(output).toBe(`${server.target.user} ALL=(%science) NOPASSWD: ${at('shared')}/agent/abaco-agent ""\n`);
    expect((await clusters('sudoers', 'keyed')).errors).toContain('becomes nobody by sudo');
  });

  it('keeps keys of users, from standard input or a file, and never shows them', async () => {
    const { private: key } = ssh2.utils.generateKeyPairSync('ed25519');
    await writeFile(at('bob.key'), key, { mode: 0o600 });
    const config = ['--config', site];
    const added = await runAbaco(['clusters', 'keys', 'add', 'keyed', 'alice', ...config], { input: key });
    expect(added).toMatchObject({ exitCode: 0, output: '' });
    expect(added.errors).toMatch(/key of user "alice" kept, ssh-ed25519 SHA256:/);
    expect(await clusters('keys', 'add', 'keyed', 'bob', '--file', at('bob.key'))).toMatchObject({ exitCode: 0 });
    const { output } = await clusters('keys', 'list', 'keyed', '--json');
    expect((JSON.parse(output) as readonly { user: string }[]).map(({ user }) => user)).toEqual(['alice', 'bob']);
    expect(output + added.errors).not.toContain('PRIVATE');
    expect(await clusters('keys', 'remove', 'keyed', 'bob')).toMatchObject({ exitCode: 0 });
    expect((await clusters('keys', 'remove', 'keyed', 'bob')).errors).toContain('keeps no key of user "bob"');
    await writeFile(at('secret'), Buffer.alloc(32, 8));
    const closed = await clusters('keys', 'list', 'keyed');
    expect(closed.exitCode).toBe(1);
    expect(closed.output).toContain('encrypted with another secret');
    expect((await clusters('keys', 'list', 'hpc')).errors).toContain('keeps no keys of users');
  });

  it('logs in for a service whose executions wait for it, and tell so', async () => {
    up = await startAbacoUp({ ABACO_CONFIG: at('service.toml') });
    const { url } = up;
    const token = (await runAbaco(['token', 'mint', '--config', site, '--user', 'alice'])).output.trim();
    const ask = async <T>(path: string, body?: object): Promise<T> => {
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
      const init = body ? { method: 'POST', headers, body: JSON.stringify(body) } : { headers };
      return ((await (await fetch(`${url}/actors/v2${path}`, init)).json()) as { readonly result: T }).result;
    };
    const { id } = await ask<{ readonly id: string }>('', { image: `${registry.address}/none`, queue: 'hpc' });
    const { execution_id: execution } = await ask<{ readonly execution_id: string }>(`/${id}/messages`, {
      message: '',
    });
    const wait = async (): Promise<Wait | undefined> =>
      (await ask<{ readonly wait?: Wait }>(`/${id}/executions/${execution}`)).wait;
    const needs = await until(
      async () => {
        const now = await wait();
        return now?.cause.includes('needs a login') === true ? now : undefined;
      },
      { timeoutMs: 60_000, what: 'the wait to say so' },
    );
    expect(needs).toMatchObject({
      owner: 'operator',
      next: expect.stringContaining('"abaco clusters login hpc"') as string,
    });

    const args = ['clusters', 'login', 'hpc', '--config', site, '--data-dir', up.dataDir];
    const shown = await runInTerminal(args, directory.path);
    expect(shown.exitCode, shown.text).toBe(0);
    expect(shown.text).toContain('the login to');
    expect((await clusters('status', 'hpc')).output).toMatch(/stands \(pid \d+\)/);
    // Nothing more is there than a login; what is missing next is told instead.
    await until(async () => (await wait())?.cause.includes('needs a login') === false, {
      timeoutMs: 120_000,
      everyMs: 200,
      what: 'the execution to go on',
    });
    await clusters('logout', 'hpc');
    expect((await clusters('status', 'hpc')).output).toContain('needs a login');
  }, 240_000);
});

/** An image without layers: enough for a registry to know it. */
async function putEmptyImage(host: string): Promise<void> {
  const base = `http://${host}/v2/none`;
  const config = JSON.stringify({ architecture: 'amd64', os: 'linux', config: { Entrypoint: ['true'] }, rootfs: {} });
  const digest = `sha256:${createHash('sha256').update(config).digest('hex')}`;
  const upload = await fetch(`${base}/blobs/uploads/`, { method: 'POST' });
  const place = new URL(upload.headers.get('location') ?? '', base);
  place.searchParams.set('digest', digest);
  await fetch(place, { method: 'PUT', body: config, headers: { 'content-type': 'application/octet-stream' } });
  const mediaType = 'application/vnd.docker.distribution.manifest.v2+json';
  const size = Buffer.byteLength(config);
  const manifest = {
    schemaVersion: 2,
    mediaType,
    config: { mediaType: 'application/vnd.docker.container.image.v1+json', size, digest },
    layers: [],
  };
  const init = { method: 'PUT', body: JSON.stringify(manifest), headers: { 'content-type': mediaType } };
  const answer = await fetch(`${base}/manifests/latest`, init);
  if (!answer.ok) throw new Error(`The registry did not take the image: ${await answer.text()}`);
}
