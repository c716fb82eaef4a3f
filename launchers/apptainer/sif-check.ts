/**
 * Whether a SIF is what was built: by its SHA-256 when it is first asked for, and again when its size or time has changed.
 * And what such a one runs.
 */

import { NotFoundError } from '../../src/errors.ts';
import type { Command } from '../host/command.ts';
import type { Host } from '../host/host.ts';
import { readSifCommand } from './sif-file.ts';

export interface SifChecks {
  /** False for a file that is another one, or is not there. */
  isWhole(path: string, sha256: string): Promise<boolean>;
  /** Of one that was hashed and put there just now. */
  note(path: string, sha256: string): Promise<void>;
  /** Entrypoint and command of one that is whole. @param name - for messages. @throws LauncherError `image.invalid` */
  commandOf(name: string, path: string, sha256: string): Promise<readonly string[]>;
}

export function createSifChecks(host: Host): SifChecks {
  /** What each file was when it was found whole. */
  const known = new Map<string, string>();
  /** By SHA-256. */
  const commands = new Map<string, readonly string[]>();

  async function seal(path: string, sha256: string): Promise<string | undefined> {
    const looks = await host.run(lookCommand(path), new AbortController().signal);
    return looks && `${sha256} ${looks}`;
  }

  return {
    async isWhole(path, sha256) {
      // Before the hash: what is written meanwhile shows at the next look.
      const seen = await seal(path, sha256);
      if (seen === undefined) return false;
      if (known.get(path) === seen) return true;
      if ((await hashOf(host, path)) !== sha256) return false;
      known.set(path, seen);
      return true;
    },
    async note(path, sha256) {
      const seen = await seal(path, sha256);
      if (seen !== undefined) known.set(path, seen);
    },
    async commandOf(name, path, sha256) {
      const found =
        commands.get(sha256) ??
        (await readSifCommand(name, async (offset, length) =>
          Buffer.concat(await Array.fromAsync(host.get(path, { offset, length }))),
        ));
      commands.set(sha256, found);
      return found;
    },
  };
}

/** Nothing where it has just been taken away; what could not be asked rejects. */
async function hashOf(host: Host, path: string): Promise<string | undefined> {
  try {
    return await host.hash(path);
  } catch (thrown) {
    if (thrown instanceof NotFoundError) return undefined;
    throw thrown;
  }
}

/** Size and time of the last change of its content; nothing where there is no file. */
function lookCommand(path: string): Command<string | undefined> {
  return {
    argv: ['stat', '-c', '%s %y', '--', path],
    parse: ({ exitCode, stdout }) => (exitCode === 0 ? stdout.trim() : undefined),
  };
}
