/** The kinds of launchers there are; the only list. */

import type { LauncherKind } from '../src/launcher/launcher.ts';
import { apptainerKind } from './apptainer/apptainer-launcher.ts';
import { dockerKind } from './docker/docker-launcher.ts';
import { mockKind } from './mock/mock-launcher.ts';
import { slurmKind } from './slurm/slurm-launcher.ts';

/** Each is given the options its own schema has accepted. */
export const launcherKinds: readonly LauncherKind<Readonly<Record<string, unknown>>>[] = [
  apptainerKind,
  dockerKind,
  mockKind,
  slurmKind,
];
