/** The slurm launcher on the test cluster, as alice. */

import { randomUUID } from 'node:crypto';
import { dirname } from 'node:path';
import { createHostPool, type HostPool } from '../../launchers/host/host-pool.ts';
import { slurmKind } from '../../launchers/slurm/slurm-launcher.ts';
import type { SlurmOptions } from '../../launchers/slurm/slurm-options.ts';
import { attemptKey } from '../../src/launcher/attempt-key.ts';
import { agentFiles } from './agent-files.ts';
import type { Cluster } from './cluster.ts';
import { nativeHelper } from './docker.ts';
import { argvOf } from './docker-bench.ts';
import type { LauncherBench } from './launcher-contract.ts';
import { silentLog } from './silent-log.ts';
import { makeTestDirectory } from './test-directory.ts';
import { until } from './until.ts';

/** `uid:gid` of alice, as the directory of the test cluster has it. */
export const aliceUser = '10001:20000';

export function slurmOptions(cluster: Cluster): SlurmOptions {
  return {
    ...cluster.options,
    port: 22,
    become: true,
    transport: 'ssh2',
    ssh_config: '',
    login_idle: 3_600_000,
    jump: [],
    keys_dir: '',
    keys_secret_file: '',
    connect_timeout: 5_000,
    login_timeout: 20_000,
    idle: 60_000,
    channels: 8,
    partition: '',
    account: '',
    qos: '',
    walltime: 300_000,
    margin: 60_000,
    mpi: '',
    gpus: 'nvidia',
    learn: 600_000,
    poll: 250,
    poll_as: '',
    accounting: 10_000,
    keep: 3_600_000,
    burst: 50,
    max_array: 1_000,
    late: 3_000,
    architecture: 'amd64',
    build_on: 'login',
    build_time: 600_000,
    engine: '',
    builds: 2,
    templates: '',
  };
}

export async function makeSlurmBench(
  cluster: Cluster,
  image: string,
  changes: Partial<SlurmOptions> = {},
): Promise<LauncherBench> {
  const directory = await makeTestDirectory('slurm-launcher');
  const run = randomUUID().slice(0, 8);
  const installations = { first: `test-${run}-a`, second: `test-${run}-b` } as const;
  const options = { ...slurmOptions(cluster), ...changes };
  const counts = `/lustre/alice/counts-${run}`;
  const pool: HostPool = createHostPool({
    launcher: 'hpc',
    options,
    dataDir: directory.path,
    agentFiles,
    installationId: 'bench',
  });
  const alice = pool.of('alice');
  await alice.makeDirectory(counts, 0o755);
  const signal = new AbortController().signal;
  const lines = async (...argv: [string, ...string[]]): Promise<readonly string[]> =>
    await alice.run({ argv, parse: ({ stdout }) => stdout.split('\n').filter((line) => line !== '') }, signal);
  /** Jobs of this bench that have not ended. */
  const jobs = async (): Promise<readonly string[]> =>
    (await lines('squeue', '-h', '-r', '-t', 'PD,R,S,CF', '-u', 'alice', '-o', '%i %k')).filter((line) =>
      line.includes(run),
    );

  return {
    image,
    owner: 'alice',
    open({ installation = 'first', checkpoint = async () => {} } = {}) {
      return slurmKind.create('hpc', options, {
        installationId: installations[installation],
        dataDir: directory.path,
        nativeDir: dirname(nativeHelper),
        registries: { [cluster.registry]: { username: '', password: '', insecure: true } },
        log: silentLog,
        checkpoint,
      });
    },
    describe: (program, ref) => ({
      user: aliceUser,
      argv: argvOf(program, ref),
      environment: {},
      mounts: [{ hostPath: counts, containerPath: '/counts', mode: 'rw' }],
    }),
    async starts(ref) {
      const [part] = await alice.readMany([{ path: `${counts}/${attemptKey(ref)}`, offset: 0, length: 10_000 }]);
      return (
        Buffer.from(part?.bytes ?? [])
          .toString()
          .split('\n').length - 1
      );
    },
    release: async (ref) => await alice.put(`${counts}/${attemptKey(ref)}.go`, new Uint8Array()),
    async vanish() {
      // Anything softer is told to the program, whose end is then on record.
      for (const node of ['c1', 'c2']) await cluster.exec(node, 'pkill -KILL -x abaco-start || true');
    },
    async leftovers() {
      // A job outlives the program that has ended in it, and was removed, by a moment.
      await until(async () => (await jobs()).length === 0, { timeoutMs: 20_000, everyMs: 200, what: 'the jobs' }).catch(
        () => undefined,
      );
      const runs = await Promise.all(
        Object.values(installations).map(async (id) => (await alice.list(`/lustre/alice/.abaco/${id}/run`)) ?? []),
      );
      return [...(await jobs()), ...runs.flat()];
    },
    async [Symbol.asyncDispose]() {
      for (const line of await jobs()) await lines('scancel', line.split(' ')[0] ?? '');
      const trees = [counts, ...Object.values(installations).map((id) => `/lustre/alice/.abaco/${id}`)];
      await lines('rm', '-rf', ...trees);
      await pool.close();
      await directory[Symbol.asyncDispose]();
    },
  };
}
