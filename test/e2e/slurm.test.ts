/** The same message on a supercomputer: a service whose queue is a real Slurm, and whose users are those of a directory. */

import { chmod, mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Cluster, canRunCluster, startCluster } from '../support/cluster.ts';
import { programAvailable } from '../support/program.ts';
import { ensureProgramImage, removeProgramImage } from '../support/program-image.ts';
import { requireService } from '../support/services.ts';
import { startAccounting, stopAccounting } from '../support/slurm-accounting.ts';
import { type SlurmService, startSlurmService } from '../support/slurm-service.ts';
import { runInTerminal } from '../support/terminal.ts';
import { makeTestDirectory, type TestDirectory } from '../support/test-directory.ts';
import { until } from '../support/until.ts';

const canRun = (await canRunCluster()) && requireService('redis', await programAvailable('redis-server'));

/** Its message is the script it runs. */
const localImage = 'abaco-test-slurm:1';

const brokenImage = 'abaco-test-slurm-broken:1';

/** Where the registry keeps the last layer of an image, which no other image shares. */
async function lastLayer(cluster: Cluster, image: string): Promise<string> {
  const [repository, tag] = image.split(':');
  const accept = 'Accept: application/vnd.docker.distribution.manifest.v2+json';
  const url = `http://localhost:5000/v2/${repository}/manifests/${tag}`;
  const manifest = JSON.parse(await cluster.exec('registry', `curl -fsS -H '${accept}' ${url}`)) as {
    readonly layers: readonly { readonly digest: string }[];
  };
  const digest = manifest.layers.at(-1)?.digest.replace('sha256:', '') ?? '';
  return `/var/lib/registry/docker/registry/v2/blobs/sha256/${digest.slice(0, 2)}/${digest}/data`;
}

const placesOf = (climate: string): string => `
[identity]
work = "/lustre/{username}"
[mounts.lustre]
paths = { hpc = "{work}" }
container = "/lustre"
mode = "rw"
[mounts.home]
paths = { hpc = "{home}" }
container = "{home}"
mode = "rw"
[mounts.astro]
paths = { hpc = "/lustre/astro" }
container = "/astro"
mode = "rw"
[mounts.data]
paths = { hpc = "/data" }
container = "/data"
mode = "ro"
[mounts.shared]
paths = { hpc = "/lustre/shared" }
container = "/shared"
[mounts.climate]
paths = { local = "${climate}" }
container = "/climate"
mode = "rw"
`;

describe.runIf(canRun)('an actor in a queue of Slurm', () => {
  let cluster: Cluster;
  let directory: TestDirectory;
  let service: SlurmService;
  let image: string;

  beforeAll(async () => {
    cluster = await startCluster();
    await cluster.exec('login', 'mkdir -p "/lustre/shared/in ner" && chmod -R 777 /lustre/shared');
    await ensureProgramImage(localImage, 'exec sh -c "$MSG"');
    directory = await makeTestDirectory('climate');
    const climate = join(directory.path, 'climate');
    await mkdir(climate);
    await chmod(climate, 0o777);
    image = await cluster.push(localImage);
    service = await startSlurmService(cluster, { image, more: placesOf(climate) });
  }, 600_000);

  afterAll(async () => {
    await service[Symbol.asyncDispose]();
    await directory[Symbol.asyncDispose]();
    await removeProgramImage(localImage);
    await cluster[Symbol.asyncDispose]();
  }, 120_000);

  /** On the engine of this machine. */
  const registerLocal = async (token: string): Promise<string> =>
    await service.register({ image: localImage, queue: 'default' }, token);

  const changeDirectory = async (...lines: readonly string[]): Promise<void> => {
    const ldif = [...lines, ''].join(String.raw`\n`);
    await cluster.exec('directory', `printf '%b' '${ldif}' | ldapmodify -Y EXTERNAL -H ldapi:/// -Q`);
  };

  it('runs as its owner, with the groups of the directory, on the file systems of the cluster', async () => {
    const actor = await service.register();
    const script = [
      'echo "$(id -u) $(id -g)"',
      'echo hello >/lustre/written && echo shared >/astro/written && echo home >/home/alice/written',
      'echo no >/data/written || echo read-only',
      'cat /data/README',
      'echo 42 | /_abaco/bin/result',
      'exit 3',
    ].join('\n');
    const execution = await service.send(actor, script);
    expect(await service.untilEnded(actor, execution)).toMatchObject({
      status: 'COMPLETE',
      exit_code: 3,
      end: 'exited',
    });
    const log = await service.logOf(actor, execution);
    expect(log).toContain('10001 20000\n');
    expect(log).toContain('read-only\n');
    expect(log).toContain('A sample that many read');
    const headers = { authorization: `Bearer ${await service.tokenOf('alice')}` };
    const results = await fetch(`${service.up().url}/actors/v2/${actor}/executions/${execution}/results`, { headers });
    expect(await results.text()).toBe('42\n');
    const owners = await cluster.exec(
      'login',
      'stat -c "%U %G" /lustre/alice/written /lustre/astro/written /home/alice/written',
    );
    expect(owners).toBe('alice science\nalice astro\nalice science\n');
  });

  it('is given what a container is given anywhere: context, state, default environment, and a way back', async () => {
    const actor = await service.register({ stateless: false, default_environment: { COLOUR: 'a "dark" $(blue)' } });
    await service.ask(`/${actor}/state`, { seen: 1 });
    const script = [
      String.raw`printf '%s\n' "$COLOUR" "$_abaco_actor_state" "$_abaco_username" "$_abaco_execution_id"`,
      'token="Authorization: Bearer $_abaco_access_token"; at="$_abaco_api_server/actors/v2/$_abaco_actor_id/state"',
      `exec /bin/busybox wget -q -O /dev/null --header "$token" --header 'Content-Type: application/json' --post-data '{"seen": 2}' "$at"`,
    ].join('\n');
    const execution = await service.send(actor, script);
    expect(await service.untilEnded(actor, execution)).toMatchObject({ status: 'COMPLETE', exit_code: 0 });
    const lines = ['a "dark" $(blue)', "{'seen': 1}", 'alice', execution, ''];
    expect(await service.logOf(actor, execution)).toBe(lines.join('\n'));
    expect(await service.ask(`/${actor}/state`)).toMatchObject({ state: { seen: 2 } });
  });

  it('finds files with blanks and line ends in their names, and makes such', async () => {
    const name = 'a b\\nc,d:e"f';
    await cluster.exec(
      'login',
      `name=$(printf '${name}'); printf found >"/lustre/alice/$name"; chmod 644 "/lustre/alice/$name"`,
    );
    const actor = await service.register();
    const script = `name=$(printf '${name}'); cat "/lustre/$name"; printf made >"/lustre/$name.new"`;
    const execution = await service.send(actor, script);
    expect(await service.untilEnded(actor, execution)).toMatchObject({ status: 'COMPLETE', exit_code: 0 });
    expect(await service.logOf(actor, execution)).toBe('found');
    const made = await cluster.exec('login', `name=$(printf '${name}'); cat "/lustre/alice/$name.new"`);
    expect(made).toBe('made');
  });

  it('writes nothing to what is mounted below a read-only directory', async () => {
    const inner = '"/lustre/shared/in ner"';
    const machines = ['c1', 'c2'];
    for (const machine of machines) await cluster.exec(machine, `mount -t tmpfs -o mode=777 tmpfs ${inner}`);
    try {
      const actor = await service.register();
      const execution = await service.send(
        actor,
        'touch /shared/x; touch "/shared/in ner/x"; ls "/shared/in ner"; echo end',
      );
      expect(await service.untilEnded(actor, execution)).toMatchObject({ status: 'COMPLETE', exit_code: 0 });
      expect(await service.logOf(actor, execution)).toMatch(/Read-only file system[^]*Read-only file system\nend\n$/);
    } finally {
      for (const machine of machines) await cluster.exec(machine, `umount ${inner}`);
    }
  });

  it('ends with the reason where a directory to mount is not there, and makes none', async () => {
    const actor = await service.register();
    await cluster.exec('login', 'mv /lustre/astro /lustre/astro.away');
    try {
      const execution = await service.send(actor, 'true');
      const end = await service.untilEnded(actor, execution);
      expect(end).toMatchObject({ status: 'ERROR', end: 'launch-failed' });
      expect(end.end_detail).toContain('directory "/lustre/astro", which is to be mounted, is not there');
      expect(await cluster.exec('login', 'ls /lustre')).not.toMatch(/^astro$/m);
    } finally {
      await cluster.exec('login', 'mv /lustre/astro.away /lustre/astro');
    }
  });

  it('has the groups that the directory says at its start, in Docker as on the cluster', async () => {
    const bob = await service.tokenOf('bob');
    const actor = await registerLocal(bob);
    const script = 'id -u; id -g; id -G; echo x >/climate/of-bob';
    const first = await service.send(actor, script, bob);
    await service.untilEnded(actor, first, bob);
    expect(await service.logOf(actor, first, bob)).toBe('10002\n20000\n20000 20001\n');
    expect(await stat(join(directory.path, 'climate/of-bob'))).toMatchObject({ uid: 10_002, gid: 20_000 });
    const group = 'dn: cn=climate,ou=groups,dc=example,dc=org';
    await changeDirectory(group, 'changetype: modify', 'add: memberUid', 'memberUid: bob');
    try {
      // What was said before is good for as long as `keep`.
      await until(
        async () => {
          const later = await service.send(actor, script, bob);
          await service.untilEnded(actor, later, bob);
          return (await service.logOf(actor, later, bob)).includes('20000 20001 20002\n');
        },
        { timeoutMs: 30_000, what: 'the new group' },
      );
    } finally {
      await changeDirectory(group, 'changetype: modify', 'delete: memberUid', 'memberUid: bob');
    }
  });

  it('keeps what one user runs from another', async () => {
    const bob = await service.tokenOf('bob');
    const actor = await service.register({}, bob);
    const execution = await service.send(actor, 'id -u; ls /lustre/.abaco', bob);
    await service.untilEnded(actor, execution, bob);
    expect(await service.logOf(actor, execution, bob)).toMatch(/^10002\n/);
    const denied = await cluster.exec(
      'login',
      'setpriv --reuid 10002 --regid 20000 --clear-groups ls /lustre/alice/.abaco 2>&1 || true',
    );
    expect(denied).toContain('Permission denied');
  });

  it('is given its configs, of which only its owner can read a secret, and nothing is left', async () => {
    const secret = 'for-alice-alone';
    const actor = await service.register();
    await service.ask('/configs', { name: 'plain', value: 'for all', is_secret: false, actors: actor });
    await service.ask('/configs', { name: 'key', value: secret, is_secret: true, actors: actor });
    const script = 'echo "$_actor_configs"; until [ -e /lustre/go-on ]; do sleep 0.1; done; rm /lustre/go-on';
    const execution = await service.send(actor, script);
    await until(async () => (await service.logOf(actor, execution)) !== '', { what: 'the configs', timeoutMs: 60_000 });
    const holding = `grep -rls ${secret} /lustre /home || true`;
    const files = (await cluster.exec('login', holding)).trim().replaceAll('\n', ' ');
    expect(files).toContain('/lustre/alice/');
    const bob = 'setpriv --reuid 10002 --regid 20000 --clear-groups';
    const denied = await cluster.exec('login', `${bob} cat ${files} 2>&1 || true`);
    expect(denied).toContain('Permission denied');
    expect(denied).not.toContain(secret);
    const [job = ''] = (await cluster.exec('login', 'squeue -h -u alice -t running -o %i')).split('\n');
    const known = `scontrol show job ${job}; scontrol write batch_script ${job} -`;
    expect(await cluster.exec('controller', known)).not.toContain(secret);
    await cluster.exec('login', 'touch /lustre/alice/go-on');
    expect(await service.untilEnded(actor, execution)).toMatchObject({ status: 'COMPLETE', exit_code: 0 });
    const log = await service.logOf(actor, execution);
    expect(log).toContain("'plain': 'for all'");
    expect(log).toContain(`'key': '${secret}'`);
    await until(async () => (await cluster.exec('login', holding)) === '', { what: 'what held it to go' });
  });

  it('ends without the books of Slurm, which follow when they can be asked', async () => {
    await using other = await startSlurmService(cluster, { image, launcher: 'poll = "500ms"\naccounting = "10m"' });
    const actor = await other.register();
    await other.untilEnded(actor, await other.send(actor, 'true'));
    await stopAccounting(cluster);
    const execution = await other.send(actor, 'exit 4');
    try {
      expect(await other.untilEnded(actor, execution)).toMatchObject({ status: 'COMPLETE', exit_code: 4 });
      const told = await other.told(actor, execution);
      expect(told).not.toHaveProperty('accounting');
      expect(told.node).toMatch(/^c[12]$/);
    } finally {
      await startAccounting(cluster);
    }
    const { node, accounting } = await until(
      async () => {
        const told = await other.told(actor, execution);
        return told.accounting && told;
      },
      { timeoutMs: 120_000, what: 'its books' },
    );
    expect(accounting?.nodes).toMatch(/^c[12]$/);
    expect(node).toBe(accounting?.nodes);
  });

  it('says why it waits', async () => {
    await cluster.exec('controller', 'scontrol update partitionname=normal state=down');
    try {
      const actor = await service.register();
      const execution = await service.send(actor, 'true');
      const waiting = await until(
        async () => {
          const { wait } = await service.told(actor, execution);
          return wait?.cause.includes('PartitionDown') === true ? wait : undefined;
        },
        { timeoutMs: 60_000, what: 'the reason of Slurm' },
      );
      expect(waiting).toMatchObject({ cause: 'Its partition takes no jobs now (PartitionDown)', owner: 'operator' });
      await cluster.exec('controller', 'scontrol update partitionname=normal state=up');
      expect(await service.untilEnded(actor, execution)).toMatchObject({ status: 'COMPLETE', exit_code: 0 });
    } finally {
      await cluster.exec('controller', 'scontrol update partitionname=normal state=up');
    }
  });

  it('says why its image cannot be built, and keeps its messages until it can', async () => {
    await ensureProgramImage(brokenImage, 'echo built; exec sh -c "$MSG"');
    const broken = await cluster.push(brokenImage);
    await removeProgramImage(brokenImage);
    const blob = await lastLayer(cluster, brokenImage);
    await cluster.exec('registry', `mv ${blob} /tmp/away`);
    const actor = await service.register({ image: broken });
    const execution = await service.send(actor, 'true');
    const failed = await until(
      async () => {
        const now = await service.ask<{ readonly status: string; readonly status_message: string }>(`/${actor}`);
        return now.status === 'ERROR' ? now : undefined;
      },
      { timeoutMs: 60_000, what: 'the actor to be in ERROR' },
    );
    expect(failed.status_message).toContain(`Image "${broken}" could not be built for this cluster: `);
    expect(failed.status_message, 'the last lines of the log').toContain('blob unknown to registry');
    const { status, wait } = await service.told(actor, execution);
    expect(status).toBe('SUBMITTED');
    expect(wait).toMatchObject({ owner: 'user', next: expect.stringContaining('with "force" to try this one again') });
    await cluster.exec('registry', `mv /tmp/away ${blob}`);
    await service.ask(`/${actor}`, { image: broken, queue: 'hpc', force: true }, undefined, 'PUT');
    expect(await service.untilEnded(actor, execution)).toMatchObject({ status: 'COMPLETE', exit_code: 0 });
    expect(await service.logOf(actor, execution)).toBe('built\n');
  });

  it.each([
    ['nobody-there', 'the directory has no account of that name'],
    ['ALICE', 'the directory has no account of that name'],
    ['dora', 'its account has expired'],
    ['daemon2', "uid 0 is the system's"],
  ])('is refused at registration for %s', async (user, reason) => {
    await expect(service.register({}, await service.tokenOf(user))).rejects.toThrow(
      `User "${user}" runs nothing here: ${reason}`,
    );
  });

  it('is refused for one the directory knows and the cluster cannot, and for nobody else', async () => {
    const stranger = await service.tokenOf('$(reboot)');
    const actor = await service.register({}, stranger);
    const execution = await service.send(actor, 'true', stranger);
    const end = await service.untilEnded(actor, execution, stranger);
    expect(end).toMatchObject({ status: 'ERROR', end: 'launch-failed' });
    const own = await service.register();
    expect(await service.untilEnded(own, await service.send(own, 'true'))).toMatchObject({ status: 'COMPLETE' });
  });

  it('runs nothing any more for somebody who has left, and says why', async () => {
    const carol = await service.tokenOf('carol');
    const actors = [await service.register({}, carol), await registerLocal(carol)];
    const account = ['dn: uid=carol,ou=people,dc=example,dc=org', 'changetype: modify', 'replace: loginShell'];
    await changeDirectory(...account, 'loginShell: /usr/sbin/nologin');
    try {
      const refusal = await until(
        async () =>
          await service.register({}, carol).then(
            () => undefined,
            (thrown: Error) => thrown.message,
          ),
        { timeoutMs: 30_000, what: 'the refusal' },
      );
      expect(refusal).toContain('User "carol" runs nothing here: its login shell is /usr/sbin/nologin');
      for (const actor of actors) {
        const execution = await service.send(actor, 'echo started', carol);
        expect(await service.untilEnded(actor, execution, carol)).toMatchObject({
          status: 'ERROR',
          end: 'launch-failed',
          end_detail: 'User "carol" runs nothing here: its login shell is /usr/sbin/nologin',
        });
        expect(await service.logOf(actor, execution, carol)).toBe('');
      }
    } finally {
      await changeDirectory(...account, 'loginShell: /bin/bash');
    }
  });

  it('waits while nobody can say who its owner is, and says so', async () => {
    const bob = await service.tokenOf('bob');
    const actor = await registerLocal(bob);
    await cluster.compose('pause', 'directory');
    let execution: string;
    try {
      execution = await service.send(actor, 'echo started', bob);
      const waiting = await until(
        async () => {
          const { wait } = await service.told(actor, execution, bob);
          return wait?.cause.startsWith('Directory ') === true ? wait : undefined;
        },
        { timeoutMs: 30_000, what: 'the reason of the wait' },
      );
      expect(waiting).toMatchObject({ cause: expect.stringContaining('does not answer'), owner: 'operator' });
    } finally {
      await cluster.compose('unpause', 'directory');
    }
    expect(await service.untilEnded(actor, execution, bob)).toMatchObject({ status: 'COMPLETE', exit_code: 0 });
  });

  it("goes through a login of the system's OpenSSH, and waits for the next one when that has ended", async () => {
    const launcher = 'poll = "500ms"\ntransport = "openssh"';
    await using through = await startSlurmService(cluster, { image, launcher });
    const clusters = async (verb: string): Promise<void> => {
      const args = ['clusters', verb, 'hpc', '--config', through.site, '--data-dir', through.up().dataDir];
      const shown = await runInTerminal(args, directory.path);
      expect(shown.exitCode, shown.text).toBe(0);
    };
    const actor = await through.register();
    for (const _ of ['the first login', 'the next one']) {
      const id = await through.send(actor, 'id -u; echo 42 | /_abaco/bin/result');
      const needsLogin = async () => (await through.told(actor, id)).wait?.cause.includes('needs a login') === true;
      await until(needsLogin, { timeoutMs: 120_000, everyMs: 100, what: 'the wait to say so' });
      await clusters('login');
      try {
        expect(await through.untilEnded(actor, id)).toMatchObject({ status: 'COMPLETE', exit_code: 0, end: 'exited' });
        expect(await through.logOf(actor, id)).toBe('10001\n');
      } finally {
        await clusters('logout');
      }
    }
  }, 300_000);

  it('hands many messages over together, and each is started once, also when the service is killed meanwhile', async () => {
    const actor = await service.register();
    const count = 30;
    const ids = await Promise.all(
      Array.from(
        { length: count },
        async (_, index) => await service.send(actor, `echo ${index} >>/lustre/burst-${actor}; sleep 2`),
      ),
    );
    await until(
      async () => (await cluster.exec('login', `cat /lustre/alice/burst-${actor} 2>/dev/null || true`)).length > 0,
      {
        timeoutMs: 60_000,
        what: 'the first program',
      },
    );
    await service.restart();
    for (const id of ids)
      expect(await service.untilEnded(actor, id)).toMatchObject({ status: 'COMPLETE', exit_code: 0 });
    const started = (await cluster.exec('login', `cat /lustre/alice/burst-${actor}`)).trim().split('\n').map(Number);
    expect(started.toSorted((a, b) => a - b)).toEqual(ids.map((_, index) => index));
  }, 240_000);
});
