/** The apptainer launcher: on the login node of the test cluster through SSH, or on the machine that this runs on. */

import { randomUUID } from 'node:crypto';
import { dirname } from 'node:path';
import { apptainerKind } from '../../launchers/apptainer/apptainer-launcher.ts';
import type { ApptainerOptions } from '../../launchers/apptainer/apptainer-options.ts';
import { createPlaces } from '../../launchers/apptainer/places.ts';
import { attemptKey } from '../../src/launcher/attempt-key.ts';
import type { RegistryAccess } from '../../src/launcher/launcher.ts';
import { agentFiles } from './agent-files.ts';
import { nativeHelper } from './docker.ts';
import { argvOf } from './docker-bench.ts';
import type { LauncherBench } from './launcher-contract.ts';
import { silentLog } from './silent-log.ts';
import { makeTestDirectory } from './test-directory.ts';
import { until } from './until.ts';

export interface ApptainerBenchOptions {
  readonly options: ApptainerOptions;
  readonly image: string;
  readonly registries: Readonly<Record<string, RegistryAccess>>;
  /** Directory of the user of the programs, for what they count. */
  readonly home: string;
}

/** What stands in the table when nothing is said. */
export const apptainerDefaults: ApptainerOptions = {
  host: '',
  port: 22,
  user: '',
  key_file: '',
  known_hosts_file: '',
  transport: 'ssh2',
  ssh_config: '',
  login_idle: 3_600_000,
  jump: [],
  keys_dir: '',
  keys_secret_file: '',
  become: true,
  directory: '',
  work: '',
  connect_timeout: 5_000,
  login_timeout: 20_000,
  idle: 60_000,
  channels: 8,
  program: 'apptainer',
  engine: '',
  builds: 2,
  gpus: 'none',
  poll: 250,
  architecture: 'amd64',
};

const owner = 'alice';

export async function makeApptainerBench({
  options,
  image,
  registries,
  home,
}: ApptainerBenchOptions): Promise<LauncherBench> {
  const directory = await makeTestDirectory('apptainer-launcher');
  const run = randomUUID().slice(0, 8);
  const installations = { first: `test-${run}-a`, second: `test-${run}-b` } as const;
  const counts = `${home}/counts-${run}`;
  const placesOf = (installationId: string) =>
    createPlaces({ launcher: 'bench', options, agentFiles, installationId, dataDir: directory.path });
  const places = placesOf('bench');
  const user = places.of(owner);
  const works = Object.values(installations).map((id) => placesOf(id).workOf(owner));
  await user.makeDirectory(counts, 0o755);
  const signal = new AbortController().signal;
  const lines = async (...argv: [string, ...string[]]): Promise<readonly string[]> =>
    await user.run({ argv, parse: ({ stdout }) => stdout.split('\n').filter((line) => line !== '') }, signal);
  /** Apptainer's own processes say in their arguments where their run directory is. */
  const processes = async (): Promise<readonly string[]> => await lines('pgrep', '-f', '-a', `[t]est-${run}-`);

  return {
    image,
    ...(options.become ? { owner } : {}),
    open({ installation = 'first', checkpoint = async () => {} } = {}) {
      return apptainerKind.create('node', options, {
        installationId: installations[installation],
        dataDir: directory.path,
        nativeDir: dirname(nativeHelper),
        registries,
        log: silentLog,
        checkpoint,
      });
    },
    describe: (program, ref) => ({
      // As the directory of the test cluster has alice.
      user: '10001:20000',
      argv: argvOf(program, ref),
      environment: {},
      mounts: [{ hostPath: counts, containerPath: '/counts', mode: 'rw' }],
    }),
    async starts(ref) {
      const [part] = await user.readMany([{ path: `${counts}/${attemptKey(ref)}`, offset: 0, length: 10_000 }]);
      const text = Buffer.from(part?.bytes ?? []).toString();
      return text.split('\n').length - 1;
    },
    release: async (ref) => await user.put(`${counts}/${attemptKey(ref)}.go`, new Uint8Array()),
    async vanish() {
      // Anything softer is told to the program, whose end is then on record.
      await lines('pkill', '-KILL', '-x', 'abaco-start');
    },
    async leftovers() {
      // A process outlives the program that has ended in it, and was removed, by a moment.
      await until(async () => (await processes()).length === 0, { timeoutMs: 10_000, everyMs: 100 }).catch(
        () => undefined,
      );
      const runs = await Promise.all(works.map(async (work) => (await user.list(`${work}/run`)) ?? []));
      return [...(await processes()), ...runs.flat()];
    },
    async [Symbol.asyncDispose]() {
      await lines('rm', '-rf', counts, ...works);
      await places.close();
      await directory[Symbol.asyncDispose]();
    },
  };
}
