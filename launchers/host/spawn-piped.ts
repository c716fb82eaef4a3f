/** Starts a program of this machine whose three streams are ours. */

import { type ChildProcessWithoutNullStreams, type SpawnOptionsWithoutStdio, spawn } from 'node:child_process';
import { UnavailableError } from '../../src/errors.ts';

/**
 * That a program is not there is told by the event `error`, which whoever calls listens to.
 *
 * @throws UnavailableError where too many files are open for its streams: Node gives such a child none.
 */
export function spawnPiped(
  file: string,
  args: readonly string[],
  options: SpawnOptionsWithoutStdio = {},
): ChildProcessWithoutNullStreams {
  const child = spawn(file, args, { ...options, stdio: 'pipe' });
  if ((child.stdin as unknown) !== undefined) return child;
  child.once('error', () => undefined);
  throw new UnavailableError('host.unavailable', `Program "${file}" cannot be started: too many files are open`, {
    next: 'Raise the limit of open files of the service (LimitNOFILE, ulimit -n)',
  });
}
