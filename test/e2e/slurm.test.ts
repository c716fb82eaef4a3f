/** The same message on a supercomputer: a service whose queue is a real Slurm, and whose users are those of a directory. */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AbacoUp, runAbaco, startAbacoUp } from '../support/abaco-up.ts';
import { type Cluster, canRunCluster, startCluster } from '../support/cluster.ts';
import { programAvailable } from '../support/program.ts';
import { ensureProgramImage, removeProgramImage } from '../support/program-image.ts';
import { requireService } from '../support/services.ts';
import { makeTestDirectory, type TestDirectory } from '../support/test-directory.ts';
import { makeTestKey } from '../support/tokens.ts';
import { until } from '../support/until.ts';

const canRun = (await canRunCluster()) && requireService('redis', await programAvailable('redis-server'));

/** Its message is the script it runs. */
const localImage = 'abaco-test-slurm:1';

interface Told {
  readonly status: string;
  readonly exit_code: number;
  readonly end: string;
  readonly wait?: { readonly cause: string; readonly owner: string };
}

describe.runIf(canRun)('an actor in a queue of Slurm', () => {
  let cluster: Cluster;
  let directory: TestDirectory;
  let up: AbacoUp;
  let image: string;
  let site: string;
  let alice: string;

  beforeAll(async () => {
    cluster = await startCluster();
    await ensureProgramImage(localImage, 'exec sh -c "$MSG"');
    image = await cluster.push(localImage);
    directory = await makeTestDirectory('slurm');
    await writeFile(join(directory.path, 'key.pem'), makeTestKey().privatePem, { mode: 0o600 });
    site = join(directory.path, 'site.toml');
    await writeFile(
      site,
      `
[auth]
default_tenant = "LAB"
[tenants.LAB]
development_key_file = "key.pem"
[queues.hpc]
launcher = "hpc"
who = "user"
[launchers.hpc]
kind = "slurm"
host = "${cluster.login}"
user = "abaco"
key_file = "${cluster.keyFile}"
known_hosts_file = "${cluster.knownHostsFile}"
directory = "/lustre/abaco"
work = "/lustre/{username}/.abaco"
poll = "500ms"
[directory]
url = "${cluster.directory.url}"
ca_file = "${cluster.directory.caFile}"
people = "ou=people,dc=example,dc=org"
groups = "ou=groups,dc=example,dc=org"
keep = "100ms"
[registries."${cluster.registry}"]
insecure = true
[[mounts.global]]
host = "/lustre/{username}"
container = "/lustre"
mode = "rw"
[[mounts.global]]
host = "/lustre/astro"
container = "/astro"
mode = "rw"
[[mounts.global]]
host = "/data"
container = "/data"
mode = "ro"
`,
    );
    up = await startAbacoUp({ ABACO_CONFIG: site });
    alice = await tokenOf('alice');
  }, 600_000);

  afterAll(async () => {
    await up[Symbol.asyncDispose]();
    await directory[Symbol.asyncDispose]();
    await removeProgramImage(localImage);
    await cluster[Symbol.asyncDispose]();
  }, 120_000);

  const tokenOf = async (user: string): Promise<string> =>
    (await runAbaco(['token', 'mint', '--config', site, '--user', user])).output.trim();

  async function ask<T>(path: string, body?: object, token = alice): Promise<T> {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const init = body ? { method: 'POST', headers, body: JSON.stringify(body) } : { headers };
    const answer = await fetch(`${up.url}/actors/v2${path}`, init);
    const { result, message } = (await answer.json()) as { readonly result: T; readonly message: string };
    if (!answer.ok) throw new Error(message);
    return result;
  }

  const register = async (token = alice): Promise<string> =>
    (await ask<{ readonly id: string }>('', { image, queue: 'hpc' }, token)).id;

  const send = async (actor: string, message: string, token = alice): Promise<string> =>
    (await ask<{ readonly execution_id: string }>(`/${actor}/messages`, { message }, token)).execution_id;

  const told = async (actor: string, execution: string, token = alice): Promise<Told> =>
    await ask<Told>(`/${actor}/executions/${execution}`, undefined, token);

  const untilEnded = async (actor: string, execution: string, token = alice): Promise<Told> =>
    await until(
      async () => {
        const now = await told(actor, execution, token);
        return now.status === 'COMPLETE' || now.status === 'ERROR' ? now : undefined;
      },
      { timeoutMs: 90_000, everyMs: 100, what: 'the execution to end' },
    );

  const logOf = async (actor: string, execution: string, token = alice): Promise<string> =>
    (await ask<{ readonly logs: string }>(`/${actor}/executions/${execution}/logs`, undefined, token)).logs;

  it('runs as its owner, with the groups of the directory, on the file systems of the cluster', async () => {
    const actor = await register();
    const script = [
      'echo "$(id -u) $(id -g)"',
      'echo hello >/lustre/written && echo shared >/astro/written',
      'echo no >/data/written || echo read-only',
      'cat /data/README',
      'echo 42 | /_abaco/bin/result',
      'exit 3',
    ].join('\n');
    const execution = await send(actor, script);
    expect(await untilEnded(actor, execution)).toMatchObject({ status: 'COMPLETE', exit_code: 3, end: 'exited' });
    const log = await logOf(actor, execution);
    expect(log).toContain('10001 20000\n');
    expect(log).toContain('read-only\n');
    expect(log).toContain('A sample that many read');
    const headers = { authorization: `Bearer ${alice}` };
    const results = await fetch(`${up.url}/actors/v2/${actor}/executions/${execution}/results`, { headers });
    expect(await results.text()).toBe('42\n');
    const owners = await cluster.exec('login', 'stat -c "%U %G" /lustre/alice/written /lustre/astro/written');
    expect(owners).toBe('alice science\nalice astro\n');
  });

  it('keeps what one user runs from another', async () => {
    const bob = await tokenOf('bob');
    const actor = await register(bob);
    const execution = await send(actor, 'id -u; ls /lustre/.abaco', bob);
    await untilEnded(actor, execution, bob);
    expect(await logOf(actor, execution, bob)).toMatch(/^10002\n/);
    const denied = await cluster.exec(
      'login',
      'setpriv --reuid 10002 --regid 20000 --clear-groups ls /lustre/alice/.abaco 2>&1 || true',
    );
    expect(denied).toContain('Permission denied');
  });

  it('says why it waits', async () => {
    await cluster.exec('controller', 'scontrol update partitionname=normal state=down');
    try {
      const actor = await register();
      const execution = await send(actor, 'true');
      const waiting = await until(
        async () => {
          const { wait } = await told(actor, execution);
          return wait?.cause.includes('PartitionDown') === true ? wait : undefined;
        },
        { timeoutMs: 60_000, what: 'the reason of Slurm' },
      );
      expect(waiting).toMatchObject({ cause: 'Its partition takes no jobs now (PartitionDown)', owner: 'operator' });
      await cluster.exec('controller', 'scontrol update partitionname=normal state=up');
      expect(await untilEnded(actor, execution)).toMatchObject({ status: 'COMPLETE', exit_code: 0 });
    } finally {
      await cluster.exec('controller', 'scontrol update partitionname=normal state=up');
    }
  });

  it.each([
    ['nobody-there', 'the directory has no account of that name'],
    ['ALICE', 'the directory has no account of that name'],
    ['dora', 'its account has expired'],
    ['daemon2', "uid 0 is the system's"],
  ])('is refused at registration for %s', async (user, reason) => {
    await expect(register(await tokenOf(user))).rejects.toThrow(`User "${user}" runs nothing here: ${reason}`);
  });

  it('is refused for one the directory knows and the cluster cannot, and for nobody else', async () => {
    const stranger = await tokenOf('$(reboot)');
    const actor = await register(stranger);
    const execution = await send(actor, 'true', stranger);
    const end = await untilEnded(actor, execution, stranger);
    expect(end).toMatchObject({ status: 'ERROR', end: 'launch-failed' });
    const own = await register();
    expect(await untilEnded(own, await send(own, 'true'))).toMatchObject({ status: 'COMPLETE' });
  });

  it('runs nothing any more for somebody who has left', async () => {
    const carol = await tokenOf('carol');
    const actor = await register(carol);
    const account = 'uid=carol,ou=people,dc=example,dc=org';
    const change = `dn: ${account}\nchangetype: modify\nreplace: loginShell\nloginShell: /usr/sbin/nologin\n`;
    const modify = 'ldapmodify -Y EXTERNAL -H ldapi:/// -Q';
    await cluster.exec('directory', `printf '%b' '${change.replaceAll('\n', '\\n')}' | ${modify}`);
    const execution = await send(actor, 'true', carol);
    expect(await untilEnded(actor, execution, carol)).toMatchObject({ status: 'ERROR', end: 'launch-failed' });
  });

  it('hands many messages over together, and each is started once, also when the service is killed meanwhile', async () => {
    const actor = await register();
    const count = 30;
    const ids = await Promise.all(
      Array.from(
        { length: count },
        async (_, index) => await send(actor, `echo ${index} >>/lustre/burst-${actor}; sleep 2`),
      ),
    );
    await until(
      async () => (await cluster.exec('login', `cat /lustre/alice/burst-${actor} 2>/dev/null || true`)).length > 0,
      {
        timeoutMs: 60_000,
        what: 'the first program',
      },
    );
    await up.child.stop('SIGKILL');
    up = await startAbacoUp({ ABACO_CONFIG: site }, up.dataDir);
    for (const id of ids) expect(await untilEnded(actor, id)).toMatchObject({ status: 'COMPLETE', exit_code: 0 });
    const started = (await cluster.exec('login', `cat /lustre/alice/burst-${actor}`)).trim().split('\n').map(Number);
    expect(started.toSorted((a, b) => a - b)).toEqual(ids.map((_, index) => index));
  }, 240_000);
});
