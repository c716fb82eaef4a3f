/** The directory of everything that must survive. One that cannot be used is a mistake in the configuration. */

import { join } from 'node:path';
import { asError, ConfigError } from '../errors.ts';
import { makeDirectory } from '../lib/make-directory.ts';

/** Of `sockaddr_un` on Linux, less the closing NUL. */
const longestSocketPath = 107;

/** @throws ConfigError */
export async function makeDataDirectory(dataDir: string): Promise<void> {
  try {
    await makeDirectory(dataDir, 0o700);
  } catch (thrown) {
    throw refusal(dataDir, `cannot be made: ${asError(thrown).message}; give another`);
  }
}

/** Of the Redis of `abaco up`; no other socket in the data directory is called by its whole path. */
export function redisSocket(dataDir: string): string {
  return join(dataDir, 'redis', 'redis.sock');
}

/** For a service with a Redis of its own. @throws ConfigError */
export function checkSocketLength(dataDir: string): void {
  const bytes = Buffer.byteLength(redisSocket(dataDir));
  if (bytes <= longestSocketPath) return;
  const why = `the path of a socket in it would have ${bytes} bytes, and the system takes ${longestSocketPath}`;
  throw refusal(dataDir, `is too long: ${why}; give a shorter one`);
}

export function cannotLock(dataDir: string, why: string): ConfigError {
  return refusal(dataDir, `cannot be locked: ${why}; give another`);
}

function refusal(dataDir: string, what: string): ConfigError {
  const path = 'service.data_dir';
  return new ConfigError([{ path, where: path, message: `Data directory "${dataDir}" ${what} with --data-dir` }]);
}
