/** Whether the owner of an actor is somebody its launcher can run programs as. */

import { anonymous } from '../auth/caller.ts';
import type { Config } from '../config/schema.ts';
import { InvalidError } from '../errors.ts';
import { chooseLauncher, type LauncherTable } from '../launcher/launcher-table.ts';

interface Places {
  readonly config: Pick<Config, 'queues' | 'service'>;
  readonly launchers: LauncherTable;
}

/** Throws `InvalidError` for an anonymous owner on a launcher that runs programs as their owners. */
export function checkOwner(
  owner: string,
  settings: Parameters<typeof chooseLauncher>[0],
  { config, launchers }: Places,
): void {
  const name = chooseLauncher(settings, { queues: config.queues, defaultLauncher: config.service.defaultLauncher });
  if (owner !== anonymous || launchers.byName(name)?.launcher.capabilities.asOwner !== true) return;
  const why = `launcher "${name}" runs programs as the owner of their actor, and nobody knows who "${anonymous}" is`;
  throw new InvalidError('actor.invalid', `Invalid actor description: ${why}; send a token`);
}
