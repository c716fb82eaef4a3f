/** Says which directory kept a job from starting, where the login node can see that one is not there. */

import { LauncherError } from '../../src/errors.ts';
import type { LaunchSpec } from '../../src/launcher/launcher.ts';
import type { Host } from '../host/host.ts';

/**
 * Asked once a first attempt did not start: before that, a directory may be one that only the nodes have.
 *
 * @throws LauncherError `mount.missing`
 */
export async function checkMounts(host: Pick<Host, 'list' | 'name'>, spec: LaunchSpec): Promise<void> {
  if (spec.attempt === 1) return;
  for (const { hostPath } of spec.mounts) {
    // What cannot be listed is there.
    if ((await host.list(hostPath).catch(() => [])) !== undefined) continue;
    const help = 'an operator makes it, with its owner and mode; nobody else does';
    const what = `directory "${hostPath}", which is to be mounted, is not there on ${host.name}`;
    throw new LauncherError('mount.missing', `Execution "${spec.executionId}" was not started: ${what}; ${help}`);
  }
}
