/** The same message on a supercomputer: a service whose queue is a real Slurm, and whose users are those of a directory. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Cluster, canRunCluster, startCluster } from '../support/cluster.ts';
import { programAvailable } from '../support/program.ts';
import { ensureProgramImage, removeProgramImage } from '../support/program-image.ts';
import { requireService } from '../support/services.ts';
import { type SlurmService, startSlurmService } from '../support/slurm-service.ts';
import { until } from '../support/until.ts';

const canRun = (await canRunCluster()) && requireService('redis', await programAvailable('redis-server'));

/** Its message is the script it runs. */
const localImage = 'abaco-test-slurm:1';

const mounts = `
[mounts.lustre]
path = "/lustre/{username}"
container = "/lustre"
mode = "rw"
[mounts.astro]
path = "/lustre/astro"
container = "/astro"
mode = "rw"
[mounts.data]
path = "/data"
container = "/data"
mode = "ro"
`;

describe.runIf(canRun)('an actor in a queue of Slurm', () => {
  let cluster: Cluster;
  let service: SlurmService;

  beforeAll(async () => {
    cluster = await startCluster();
    await ensureProgramImage(localImage, 'exec sh -c "$MSG"');
    service = await startSlurmService(cluster, { image: await cluster.push(localImage), more: mounts });
  }, 600_000);

  afterAll(async () => {
    await service[Symbol.asyncDispose]();
    await removeProgramImage(localImage);
    await cluster[Symbol.asyncDispose]();
  }, 120_000);

  it('runs as its owner, with the groups of the directory, on the file systems of the cluster', async () => {
    const actor = await service.register();
    const script = [
      'echo "$(id -u) $(id -g)"',
      'echo hello >/lustre/written && echo shared >/astro/written',
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
    const owners = await cluster.exec('login', 'stat -c "%U %G" /lustre/alice/written /lustre/astro/written');
    expect(owners).toBe('alice science\nalice astro\n');
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

  it('runs nothing any more for somebody who has left', async () => {
    const carol = await service.tokenOf('carol');
    const actor = await service.register({}, carol);
    const account = 'uid=carol,ou=people,dc=example,dc=org';
    const change = `dn: ${account}\nchangetype: modify\nreplace: loginShell\nloginShell: /usr/sbin/nologin\n`;
    const modify = 'ldapmodify -Y EXTERNAL -H ldapi:/// -Q';
    await cluster.exec('directory', `printf '%b' '${change.replaceAll('\n', '\\n')}' | ${modify}`);
    const execution = await service.send(actor, 'true', carol);
    expect(await service.untilEnded(actor, execution, carol)).toMatchObject({ status: 'ERROR', end: 'launch-failed' });
  });

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
