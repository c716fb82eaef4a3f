/** What tests of the slurm launcher on the test cluster stand on: the cluster, an image in its registry, and alice. */

import { randomUUID } from 'node:crypto';
import { dirname } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { slurmKind } from '../../launchers/slurm/slurm-launcher.ts';
import type { SlurmOptions } from '../../launchers/slurm/slurm-options.ts';
import type { LaunchEvent, Launcher, LaunchHandle, LaunchSpec, PreparedImage } from '../../src/launcher/launcher.ts';
import { type Cluster, startCluster } from './cluster.ts';
import { nativeHelper } from './docker.ts';
import { endIn, follow, type ReadOutput, readOutput } from './follow-attempt.ts';
import { silentLog } from './silent-log.ts';
import { aliceUser, slurmOptions } from './slurm-bench.ts';
import { makeTestDirectory, type TestDirectory } from './test-directory.ts';
import { ensureTestImage, testImage } from './test-image.ts';

const signal = new AbortController().signal;

export interface SlurmSuite {
  readonly installationId: string;
  readonly cluster: Cluster;
  readonly launcher: Launcher;
  /** Another of the same installation, with settings of its own. */
  open(changes: Partial<SlurmOptions>): Promise<Launcher>;
  spec(argv: readonly string[], changes?: Partial<LaunchSpec>): LaunchSpec;
  launch(argv: readonly string[], changes?: Partial<LaunchSpec>): Promise<LaunchHandle>;
  /** Follows it to its end and removes it. */
  finish(handle: LaunchHandle, mostMs?: number): Promise<Finished>;
  /** Runs a shell line as alice on the login node. */
  asAlice(line: string): Promise<string>;
}

export interface Finished {
  readonly end: ReturnType<typeof endIn>;
  readonly events: readonly LaunchEvent[];
  readonly output: ReadOutput;
}

/** Called in a `describe`; what it gives can be used in its tests. */
export function useSlurm(): SlurmSuite {
  const installationId = `test-${randomUUID().slice(0, 8)}`;
  const opened: Launcher[] = [];
  let directory: TestDirectory;
  let cluster: Cluster;
  let launcher: Launcher;
  let image: PreparedImage;

  async function open(changes: Partial<SlurmOptions>): Promise<Launcher> {
    const options = { ...slurmOptions(cluster), ...changes };
    const made = await slurmKind.create('hpc', options, {
      installationId,
      dataDir: directory.path,
      nativeDir: dirname(nativeHelper),
      registries: { [cluster.registry]: { username: '', password: '', insecure: true } },
      log: silentLog,
      checkpoint: async () => {},
    });
    opened.push(made);
    return made;
  }

  beforeAll(async () => {
    cluster = await startCluster();
    await ensureTestImage();
    const name = await cluster.push(testImage);
    directory = await makeTestDirectory('slurm-suite');
    launcher = await open({});
    image = await launcher.prepare({ name }, signal);
  }, 600_000);

  afterAll(async () => {
    await cluster.exec('controller', 'scancel -u alice');
    await launcher.sweep(async (found) => found, signal);
    for (const each of opened) await each.close();
    await cluster.exec('login', `rm -rf /lustre/alice/.abaco/${installationId}`);
    await directory[Symbol.asyncDispose]();
    await cluster[Symbol.asyncDispose]();
  }, 120_000);

  function spec(argv: readonly string[], changes: Partial<LaunchSpec> = {}): LaunchSpec {
    return {
      executionId: `e${randomUUID().replaceAll('-', '').slice(0, 12)}`,
      attempt: 1,
      owner: 'alice',
      user: aliceUser,
      tenant: 'lab',
      actorId: 'a1',
      image: { ...image, argv },
      environment: {},
      privileged: false,
      mounts: [{ hostPath: '/lustre/alice', containerPath: '/lustre', mode: 'rw' }],
      limits: {
        graceMs: 2_000,
        logBytes: 20_000_000,
        resultBytes: 100_000,
        resultTotalBytes: 10_000_000,
        resultCount: 1_000,
      },
      notAfter: new Date(Date.now() + 3_600_000),
      ...changes,
    };
  }

  return {
    installationId,
    get cluster() {
      return cluster;
    },
    get launcher() {
      return launcher;
    },
    open,
    spec,
    launch: async (argv, changes) => await launcher.launch(spec(argv, changes), signal),
    async finish(handle, mostMs = 90_000) {
      const events = await follow(launcher, handle, mostMs);
      const output = await readOutput(await launcher.collect(handle, signal));
      await launcher.remove(handle);
      return { end: endIn(events), events, output };
    },
    asAlice: async (line) =>
      await cluster.exec(
        'login',
        `cd /lustre/alice && exec setpriv --reuid 10001 --regid 20000 --init-groups sh -c '${line.replaceAll("'", `'\\''`)}'`,
      ),
  };
}
