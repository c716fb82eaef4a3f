/** What a program in Apptainer is, beside what the contract says of every launcher. */

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { AttemptRef, Launcher, LaunchHandle, LaunchSpec } from '../../../src/launcher/launcher.ts';
import { apptainerDefaults, makeApptainerBench } from '../../support/apptainer-bench.ts';
import { type Cluster, canRunCluster, startCluster } from '../../support/cluster.ts';
import { followToEnd, readOutput } from '../../support/follow-attempt.ts';
import type { LauncherBench } from '../../support/launcher-contract.ts';
import { requireService } from '../../support/services.ts';
import { aliceUser } from '../../support/slurm-bench.ts';
import { importTestImage } from '../../support/test-image.ts';
import { until } from '../../support/until.ts';

const canRun = requireService('compose', await canRunCluster());
const signal = new AbortController().signal;
const asAlice = 'setpriv --reuid alice --regid 20000 --clear-groups env HOME=/tmp';

describe.runIf(canRun)('a program in Apptainer', () => {
  let cluster: Cluster;
  let image: string;
  let bench: LauncherBench;
  let launcher: Launcher;
  let ref: AttemptRef;

  beforeAll(async () => {
    cluster = await startCluster(['directory', 'controller', 'login', 'registry']);
    const name = 'abaco-test-programs:1';
    await importTestImage(name, 'the content');
    image = await cluster.push(name);
  }, 600_000);

  afterAll(async () => await cluster?.[Symbol.asyncDispose](), 120_000);

  beforeEach(async () => {
    const options = {
      ...apptainerDefaults,
      ...cluster.options,
    };
    const registries = { [cluster.registry]: { username: '', password: '', insecure: true } };
    bench = await makeApptainerBench({ options, image, registries, home: '/lustre/alice' });
    launcher = await bench.open();
    ref = { executionId: `p${crypto.randomUUID().replaceAll('-', '').slice(0, 12)}`, attempt: 1, owner: 'alice' };
  });

  afterEach(async () => {
    const left = await bench.leftovers();
    await launcher.close();
    await bench[Symbol.asyncDispose]();
    expect(left).toEqual([]);
  });

  async function launch(name: string, argv?: readonly string[]): Promise<LaunchHandle> {
    const prepared = await launcher.prepare({ name, owner: 'alice', user: aliceUser }, signal);
    const spec: LaunchSpec = {
      ...ref,
      user: aliceUser,
      tenant: 'T',
      actorId: 'a1',
      image: { ...prepared, argv: argv ?? prepared.argv },
      environment: {},
      privileged: false,
      mounts: [],
      limits: { graceMs: 500, logBytes: 100_000, resultBytes: 1_000, resultTotalBytes: 10_000_000, resultCount: 1_000 },
      notAfter: new Date(Date.now() + 3_600_000),
    };
    return await launcher.launch(spec, signal);
  }

  const count = async (what: string): Promise<number> =>
    Number((await cluster.exec('login', `pgrep -u alice -c -f '${what}' || true`)).trim());

  /** Deaf to TERM, and so is its child, in a session of its own. */
  const deaf = (seconds: number): readonly string[] => [
    'sh',
    '-c',
    `trap '' TERM; (sleep ${seconds}) & while :; do sleep ${seconds}; done`,
  ];

  it('is ended with all that it has started', async () => {
    const handle = await launch(image, deaf(9_871));
    await until(async () => (await count('^sleep 9871')) === 2, { timeoutMs: 30_000, everyMs: 200, what: 'both' });
    expect(await launcher.cancel(ref, 500)).toBe('stopping');
    expect(await followToEnd(launcher, handle)).toMatchObject({ kind: 'cancelled', exitCode: 137 });
    await until(async () => (await count('^sleep 9871')) === 0, { timeoutMs: 10_000, everyMs: 200, what: 'their end' });
    await launcher.remove(ref);
  });

  it('is gone with all that it has started when it is removed', async () => {
    await launch(image, deaf(9_872));
    await until(async () => (await count('^sleep 9872')) === 2, { timeoutMs: 30_000, everyMs: 200, what: 'both' });
    await launcher.remove(ref);
    expect(await count('^sleep 9872')).toBe(0);
  });

  it('is swept when it was left behind, also where another owner has left the cluster', async () => {
    const handle = await launch(image, deaf(9_873));
    const runDir = await cluster.exec('login', `ls -d /lustre/alice/.abaco/*/run/${ref.executionId}-1`);
    await cluster.exec('login', `touch /lustre/abaco/owners/${runDir.split('/')[4]}/aaron`);
    expect(await launcher.sweep(async (found) => found, signal)).toEqual([ref]);
    expect(await count('^sleep 9873')).toBe(0);
    expect(await followToEnd(launcher, handle)).toMatchObject({ kind: 'lost' });
  });

  it('runs from a SIF of its owner, by the entrypoint of the image that was made of', async () => {
    const path = '/lustre/alice/program.sif';
    const pull = `${asAlice} apptainer --silent pull --force --no-https ${path} docker://${image}`;
    await cluster.exec('login', `cd /lustre/alice && ${pull}`);
    const handle = await launch(path);
    expect(await followToEnd(launcher, handle, 60_000)).toMatchObject({ kind: 'exited', exitCode: 0 });
    expect((await readOutput(await launcher.collect(handle, signal))).log).toBe('the content');
    await launcher.remove(ref);
    await cluster.exec('login', `rm ${path}`);
  });

  it('sees nothing of the host, and is its owner', async () => {
    const handle = await launch(image, [
      'sh',
      '-c',
      'id -u; ls /lustre /home; echo "$SSH_CONNECTION$SUDO_USER"; echo x >/y; echo z >/tmp/z',
    ]);
    expect(await followToEnd(launcher, handle)).toMatchObject({ kind: 'exited', exitCode: 0 });
    const { log } = await readOutput(await launcher.collect(handle, signal));
    expect(log).toMatch(/^10001\n/);
    expect(log).toMatch(/\/lustre: No such file[\s\S]*Read-only file system/);
    expect(log).not.toContain('abaco\n');
    await launcher.remove(ref);
  });

  it('cannot be limited on a host without cgroups for users, which the probe finds out', async () => {
    const { ok, checks } = await launcher.probe(signal);
    expect(ok).toBe(true);
    expect(checks.find(({ name }) => name === 'limits')?.detail).toMatch(/^none here, .*cgroups/);
    expect(launcher.capabilities.resourceLimits).toBe(false);
  });
});
