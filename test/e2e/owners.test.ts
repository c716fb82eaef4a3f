/** Who an actor runs as where the site file says who its users are, through registrations, starts and changes of it. */

import { chmod, chown, mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AbacoUp, startAbacoUp } from '../support/abaco-up.ts';
import { canRunDocker } from '../support/docker-bench.ts';
import { programAvailable } from '../support/program.ts';
import { ensureProgramImage, removeProgramImage } from '../support/program-image.ts';
import { requireService } from '../support/services.ts';
import { makeTestDirectory, type TestDirectory } from '../support/test-directory.ts';
import { claimsOf, makeTestKey, signToken } from '../support/tokens.ts';
import { until } from '../support/until.ts';

const canRun = (await canRunDocker()) && requireService('redis', await programAvailable('redis-server'));
/** Giving files away takes root. */
const isRoot = process.getuid?.() === 0;

/** Its message is the script it runs. */
const image = 'abaco-test-owners:1';
const key = makeTestKey();

interface Told {
  readonly status: string;
  readonly end?: string;
  readonly end_detail?: string;
  readonly wait?: { readonly cause: string };
}

describe.runIf(canRun && isRoot)('an actor of a tenant that names its users', () => {
  let directory: TestDirectory;
  let up: AbacoUp;

  const site = async (users: string): Promise<string> => {
    const file = join(directory.path, 'site.toml');
    const home = join(directory.path, 'home');
    await writeFile(
      file,
      `
[auth]
default_tenant = "LAB"
[identity]
work = "${directory.path}/work/{tenant}/{username}"
[tenants.LAB]
development_key_file = "key.pem"
[tenants.LAB.users]
root = { uid = 0, gid = 0 }
".." = { uid = 10_009, gid = 20_000 }
${users}
[mounts.home]
container = "/home/{username}"
path = "${home}/{username}"
mode = "rw"
[mounts.work]
container = "/work"
path = "{work}"
mode = "rw"
[mounts.astro]
container = "/astro"
path = "${directory.path}/astro"
mode = "rw"
`,
    );
    return file;
  };

  const alice = 'alice = { uid = 10_001, gid = 20_000, groups = [20_001], home = "/home/alice" }';
  const start = async (users: string, kept?: string): Promise<AbacoUp> =>
    await startAbacoUp({ ABACO_CONFIG: await site(users) }, kept);

  async function makeDirectory(name: string, uid: number, gid: number, mode: number): Promise<void> {
    await mkdir(join(directory.path, name), { recursive: true });
    await chown(join(directory.path, name), uid, gid);
    await chmod(join(directory.path, name), mode);
  }

  beforeAll(async () => {
    await ensureProgramImage(image, 'exec sh -c "$MSG"');
    directory = await makeTestDirectory('owners');
    await writeFile(join(directory.path, 'key.pem'), key.privatePem, { mode: 0o600 });
    await makeDirectory('home/alice', 10_001, 20_000, 0o700);
    await makeDirectory('home/bob', 10_002, 20_000, 0o700);
    await makeDirectory('work/LAB/alice', 10_001, 20_000, 0o700);
    await makeDirectory('work/LAB/bob', 10_002, 20_000, 0o700);
    await makeDirectory('astro', 0, 20_001, 0o2775);
    up = await start(alice);
  });

  afterAll(async () => {
    await up[Symbol.asyncDispose]();
    await directory[Symbol.asyncDispose]();
    await removeProgramImage(image);
  });

  async function ask<T>(path: string, body?: object, user = 'alice'): Promise<T> {
    const token = signToken(key.privateKey, { claims: claimsOf(user) });
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const init = body ? { method: 'POST', headers, body: JSON.stringify(body) } : { headers };
    const answer = await fetch(`${up.url}/actors/v2${path}`, init);
    const { result, message } = (await answer.json()) as { readonly result: T; readonly message: string };
    if (!answer.ok) throw new Error(message);
    return result;
  }

  const register = async (user?: string) => await ask<{ readonly id: string }>('', { image }, user);

  async function run(actor: string, script: string): Promise<Told & { readonly log: string }> {
    const { execution_id: id } = await ask<{ readonly execution_id: string }>(`/${actor}/messages`, {
      message: script,
    });
    const told = await until(
      async () => {
        const now = await ask<Told>(`/${actor}/executions/${id}`);
        return now.status === 'COMPLETE' || now.status === 'ERROR' ? now : undefined;
      },
      { timeoutMs: 60_000, everyMs: 50, what: 'the execution to end' },
    );
    return { ...told, log: (await ask<{ readonly logs: string }>(`/${actor}/executions/${id}/logs`)).logs };
  }

  it('runs as its owner with all groups, on the directories of the owner', async () => {
    const actor = await register();
    expect(actor).toMatchObject({
      uid: '10001',
      gid: '20000',
      tasdir: '/home/alice',
      mounts: [
        { host_path: join(directory.path, 'astro'), container_path: '/astro', mode: 'rw' },
        { host_path: join(directory.path, 'home/alice'), container_path: '/home/alice', mode: 'rw' },
        { host_path: join(directory.path, 'work/LAB/alice'), container_path: '/work', mode: 'rw' },
      ],
    });
    const script = 'id -u; id -g; id -G; touch /home/alice/own /work/own /astro/shared; ls /home';
    const { status, log } = await run(actor.id, script);
    expect({ status, log }).toEqual({ status: 'COMPLETE', log: '10001\n20000\n20000 20001\nalice\n' });
    expect(await stat(join(directory.path, 'home/alice/own'))).toMatchObject({ uid: 10_001, gid: 20_000 });
    expect(await stat(join(directory.path, 'work/LAB/alice/own'))).toMatchObject({ uid: 10_001, gid: 20_000 });
    expect(await stat(join(directory.path, 'astro/shared'))).toMatchObject({ uid: 10_001, gid: 20_001 });
  });

  it.each([
    ['nobody-there', 'tenant "LAB" has users of its own, and nobody of that name among them'],
    ['root', "uid 0 is the system's"],
    ['..', '{username} is "..", which leads elsewhere'],
  ])('is refused at registration for %s', async (user, reason) => {
    await expect(register(user)).rejects.toThrow(reason);
  });

  it('starts nothing for an owner who was disabled since, says so, and has a new group at the next start', async () => {
    const { id } = await register();
    await up.child.stop('SIGTERM');
    const { dataDir } = up;
    up = await start(alice.replace(' }', ', disabled = true }'), dataDir);
    expect(await run(id, 'touch /home/alice/never')).toMatchObject({
      status: 'ERROR',
      end: 'launch-failed',
      end_detail: 'User "alice" runs nothing here: the configuration has disabled its account',
      log: '',
    });
    expect(await readdir(join(directory.path, 'home/alice'))).not.toContain('never');
    await expect(register()).rejects.toThrow('the configuration has disabled its account');

    await up.child.stop('SIGTERM');
    up = await start(alice.replace('[20_001]', '[20_001, 20_007]'), dataDir);
    expect(await run(id, 'id -G')).toMatchObject({ status: 'COMPLETE', log: '20000 20001 20007\n' });
    expect(await ask(`/${id}`)).toMatchObject({ uid: '10001', status: 'READY' });
  }, 120_000);

  it('ends with the reason where a directory of its owner is not there, and makes none', async () => {
    await up.child.stop('SIGTERM');
    up = await start('alice = { uid = 10_001, gid = 20_000, work = "/nowhere/of/alice" }', up.dataDir);
    const { id } = await register();
    const told = await run(id, 'true');
    expect(told).toMatchObject({ status: 'ERROR', end: 'launch-failed' });
    expect(told.end_detail).toContain('directory "/nowhere/of/alice", which is to be mounted, is not there');
    await expect(stat('/nowhere')).rejects.toMatchObject({ code: 'ENOENT' });
  }, 120_000);
});
