/** A cache of images on the test cluster, as the service account has it, in a directory of the test's own. */

import { tmpdir } from 'node:os';
import { createBuildTurns } from '../../launchers/apptainer/build-turns.ts';
import { createEngineImages } from '../../launchers/apptainer/engine-images.ts';
import { createSifStore, type SifStore } from '../../launchers/apptainer/sif-store.ts';
import type { HostOptions } from '../../launchers/host/host-options.ts';
import { createHostPool } from '../../launchers/host/host-pool.ts';
import { agentFiles } from './agent-files.ts';
import { silentLog } from './silent-log.ts';

export interface BuildStoreOptions {
  readonly options: HostOptions;
  /** Below that of the account. */
  readonly directory: string;
  readonly registry: string;
  readonly deadAfterMs?: number;
  /** A build takes longer by so many seconds. */
  readonly slowBySeconds?: number;
}

export function openBuildStore({ options, directory, registry, deadAfterMs, slowBySeconds = 0 }: BuildStoreOptions): {
  readonly store: SifStore;
  readonly close: () => Promise<void>;
} {
  const pool = createHostPool({
    launcher: 'hpc',
    options,
    agentFiles,
    installationId: 'build-store',
    dataDir: tmpdir(),
  });
  const store = createSifStore({
    host: pool.service,
    directory,
    mode: 0o711,
    installationId: 'build-store',
    architecture: 'amd64',
    program: 'apptainer',
    engine: createEngineImages(''),
    turns: createBuildTurns(2),
    accessOf: (_, asked) => (asked === registry ? { username: '', password: '', insecure: true } : undefined),
    run: async (script, signal) => {
      const line = `sleep ${slowBySeconds}; exec /bin/sh "$0"`;
      const parse = ({ exitCode }: { readonly exitCode: number | null }): number => exitCode ?? 255;
      return await pool.service.run({ argv: ['/bin/sh', '-c', line, script], timeoutMs: 300_000, parse }, signal);
    },
    log: silentLog,
    ...(deadAfterMs === undefined ? {} : { deadAfterMs }),
  });
  return { store, close: async () => await pool.close() };
}
