/**
 * The directory an attempt and its container share: what the program is given (environment, binary message) and what
 * the helper keeps of it (log, results). Formats: `native/README.md`.
 *
 * The container's user can write here, so nothing in it is trusted: what is read is opened without following links and
 * only when it is a regular file, and no further than the limits, whatever its size.
 */

import { constants } from 'node:fs';
import { access, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { openRegular } from '../lib/regular-file.ts';
import { attemptKey, parseAttemptKey } from './attempt-key.ts';
import { writeFailure } from './disk-full.ts';
import { binaryMessageFile } from './helper-arguments.ts';
import type { AttemptRef, ExecutionOutput, LaunchSpec } from './launcher.ts';
import type { OutputLimits } from './output-limits.ts';
import { readResults } from './result-frames.ts';

export interface RunDirectories {
  pathOf(ref: AttemptRef): string;
  /**
   * Makes the directory of an attempt with all the program is given. One that is complete is kept as it is: a second
   * launch of the same attempt overwrites nothing.
   */
  create(spec: LaunchSpec): Promise<string>;
  /** What the attempt has written so far, within its limits; empty where the directory is gone. */
  output(ref: AttemptRef, limits: OutputLimits): Promise<WrittenOutput>;
  /** Again is a no-op. */
  remove(ref: AttemptRef): Promise<void>;
  list(): Promise<readonly AttemptRef[]>;
}

/** As much of an attempt's output as lies in its files. */
export type WrittenOutput = Pick<ExecutionOutput, 'logBytes' | 'readLog' | 'readResults'>;

/** As the helper names them. */
export const files = { environment: 'env', binaryMessage: binaryMessageFile, log: 'log', results: 'results' } as const;

export function createRunDirectories({ dir }: { readonly dir: string }): RunDirectories {
  const pathOf = (ref: AttemptRef) => join(dir, attemptKey(ref));

  return {
    pathOf,
    async create(spec) {
      const path = pathOf(spec);
      try {
        await fill(path, spec);
      } catch (error) {
        throw writeFailure(error, `Run directory "${path}"`);
      }
      return path;
    },
    output: (ref, limits) => readOutput(pathOf(ref), limits),
    remove: (ref) => rm(pathOf(ref), { recursive: true, force: true, maxRetries: 3 }),
    async list() {
      const names = await readdir(dir).catch(unless('ENOENT', []));
      return names.map(parseAttemptKey).filter((ref) => ref !== undefined);
    },
  };
}

async function fill(path: string, spec: LaunchSpec): Promise<void> {
  await mkdir(join(path, '..'), { recursive: true, mode: 0o700 });
  await mkdir(path).catch(unless('EEXIST', undefined));
  const handle = await open(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    // Beside the umask: the container's user is seldom ours, and writes the log here. The parent keeps others out.
    await handle.chmod(0o777);
  } finally {
    await handle.close();
  }
  const isComplete = await access(join(path, files.environment)).then(() => true, unless('ENOENT', false));
  if (isComplete) return;
  if (spec.binaryMessage) await writeWhole(path, files.binaryMessage, spec.binaryMessage.open(), { mode: 0o444 });
  // Last, as it says that the rest is complete.
  await writeWhole(path, files.environment, [renderEnvironment(spec.environment)], environmentAccess(spec.user));
}

/** `NAME=value`, each followed by NUL. */
export function renderEnvironment(environment: Readonly<Record<string, string>>): Uint8Array {
  const entries = Object.entries(environment).map(([name, value]) => `${name}=${value}\0`);
  return Buffer.from(entries.join(''));
}

interface Access {
  readonly mode: number;
  readonly owner?: { readonly uid: number; readonly gid: number };
}

/**
 * Only the container's user may read its environment. Where its number is not known (the image's own user) or we may
 * not give a file away, the directory above, closed to everybody else, has to do.
 */
function environmentAccess(user: string | undefined): Access {
  const [, uid, gid] = /^(\d+)(?::(\d+))?$/.exec(user ?? '') ?? [];
  if (uid === undefined || process.getuid?.() !== 0) return { mode: 0o444 };
  return { mode: 0o600, owner: { uid: Number(uid), gid: Number(gid ?? 0) } };
}

/** On the disk under its name as a whole, or not at all. */
async function writeWhole(
  dir: string,
  name: string,
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  rights: Access,
): Promise<void> {
  const temporary = join(dir, `.${name}.${process.pid}.${crypto.randomUUID()}`);
  const handle = await open(temporary, 'wx', 0o600);
  try {
    for await (const chunk of chunks) await handle.writeFile(chunk);
    if (rights.owner) await handle.chown(rights.owner.uid, rights.owner.gid);
    await handle.chmod(rights.mode);
    await handle.sync();
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
  await rename(temporary, join(dir, name));
}

async function readOutput(path: string, limits: OutputLimits): Promise<WrittenOutput> {
  const [log, results] = [join(path, files.log), join(path, files.results)];
  const logBytes = Math.min(await sizeOf(log), limits.logBytes);
  return {
    logBytes,
    readLog: (offset) => readRange(log, offset, logBytes),
    readResults: (from) => readResults(readRange(results, 0, limits.resultTotalBytes), from, limits.resultCount),
  };
}

async function sizeOf(path: string): Promise<number> {
  const handle = await openRegular(path);
  if (handle === undefined) return 0;
  try {
    return (await handle.stat()).size;
  } finally {
    await handle.close();
  }
}

async function* readRange(path: string, start: number, end: number): AsyncGenerator<Uint8Array> {
  const handle = start < end ? await openRegular(path) : undefined;
  // The stream closes the handle, also when its reader leaves early.
  if (handle) yield* handle.createReadStream({ start, end: end - 1 });
}

function unless<T>(code: string, value: T): (error: NodeJS.ErrnoException) => T {
  return (error) => {
    if (error.code === code) return value;
    throw error;
  };
}
