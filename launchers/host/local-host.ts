/** This machine as a host. The agent is this, behind a channel. */

import { createHash, randomBytes } from 'node:crypto';
import { watch } from 'node:fs';
import { chmod, type FileHandle, mkdir, readdir, readlink, realpath, rm, symlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { codeOf, writeDurably } from '../../src/lib/durable-file.ts';
import { openRegular } from '../../src/lib/regular-file.ts';
import { noRegularFile, withFileErrors } from './file-errors.ts';
import type { ByteRange, FilePart, FileRead, Host } from './host.ts';
import { runProgram } from './run-program.ts';
import { checkBelowRoots } from './scratch-roots.ts';

export interface LocalHostOptions {
  readonly name?: string;
  /** What `removeTree` may remove from. */
  readonly scratchRoots: readonly string[];
}

/** Read and handed on at a time. */
const chunkBytes = 1024 * 1024;

export function createLocalHost({ name = 'this machine', scratchRoots }: LocalHostOptions): Host {
  const guarded = <T>(path: string, action: () => Promise<T>): Promise<T> => withFileErrors(name, path, action);
  const openThere = async (path: string, followLinks: boolean): Promise<FileHandle> => {
    const file = await guarded(path, async () => await openRegular(path, { followLinks }));
    if (file) return file;
    throw noRegularFile(name, path);
  };

  return {
    name,

    async run(command, signal) {
      return command.parse(await runProgram(name, command, signal));
    },

    async put(path, content, { mode = 0o600 } = {}) {
      await guarded(path, async () => {
        const temporary = `${path}.${randomBytes(6).toString('hex')}`;
        await writeDurably(path, content, temporary, mode);
        // What the umask took away.
        await chmod(path, mode);
      });
    },

    async *get(path, range = { offset: 0 }) {
      await using file = await openThere(path, range.followLinks === true);
      try {
        yield* readRange(file, range);
      } catch (thrown) {
        await guarded(path, () => Promise.reject(thrown));
      }
    },

    async readMany(reads) {
      return await Promise.all(reads.map(async (read) => await guarded(read.path, async () => await readPart(read))));
    },

    async link(path, target) {
      return await guarded(path, async () => {
        try {
          await symlink(target, path);
          return true;
        } catch (thrown) {
          if (codeOf(thrown) === 'EEXIST') return false;
          throw thrown;
        }
      });
    },

    async readLinks(paths) {
      return await Promise.all(paths.map(async (path) => await guarded(path, async () => await readTarget(path))));
    },

    async hash(path) {
      return await guarded(path, async () => {
        const sha256 = createHash('sha256');
        const file = await openThere(path, true);
        await pipeline(file.createReadStream({ highWaterMark: chunkBytes }), sha256);
        return sha256.digest('hex');
      });
    },

    async makeDirectory(path, mode) {
      await guarded(path, async () => {
        const made = await mkdir(path, { recursive: true, mode });
        if (made !== undefined) await chmod(path, mode);
      });
    },

    async list(path) {
      return await guarded(path, async () => {
        const names = await readdir(path).catch(absent);
        return names?.toSorted();
      });
    },

    async removeTree(path) {
      checkBelowRoots(path, scratchRoots);
      await guarded(path, async () => {
        // A link on the way may lead out of the root.
        const parent = await realpath(dirname(path)).catch(absent);
        if (parent === undefined) return;
        const roots = await Promise.all(scratchRoots.map(async (root) => await realpath(root).catch(absent)));
        checkBelowRoots(
          `${parent}/${path.slice(path.lastIndexOf('/') + 1)}`,
          roots.filter((root) => root !== undefined),
        );
        await rm(path, { recursive: true, force: true, maxRetries: 3 });
      });
    },

    async waitForChange(path, timeoutMs, signal) {
      await guarded(path, async () => await changeOf(path, AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])));
    },

    async close() {
      // Nothing is held.
    },
  };
}

async function* readRange(file: FileHandle, { offset, length = Number.POSITIVE_INFINITY }: ByteRange) {
  for (let at = offset; at < offset + length; ) {
    const wanted = Math.min(chunkBytes, offset + length - at);
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(wanted), 0, wanted, at);
    if (bytesRead === 0) return;
    at += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

async function readPart({ path, offset, length }: FileRead): Promise<FilePart | undefined> {
  const file = await openRegular(path);
  if (!file) return undefined;
  await using _ = file;
  const { size } = await file.stat();
  const wanted = Math.max(0, Math.min(length, size - offset));
  const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(wanted), 0, wanted, offset);
  // It may have grown since it was asked for its size.
  return { bytes: buffer.subarray(0, bytesRead), size: bytesRead === 0 ? size : Math.max(size, offset + bytesRead) };
}

async function readTarget(path: string): Promise<string | undefined> {
  try {
    return await readlink(path);
  } catch (thrown) {
    if (codeOf(thrown) === 'EINVAL') return '';
    return absent(thrown);
  }
}

/** A file system that tells nothing of what others write (NFS) makes this the timeout alone. */
async function changeOf(path: string, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const watcher = watch(path, { persistent: false }, () => resolve());
  watcher.on('error', reject);
  signal.addEventListener('abort', () => resolve(), { once: true });
  try {
    await promise;
  } finally {
    watcher.close();
  }
}

function absent(thrown: unknown): undefined {
  if (codeOf(thrown) === 'ENOENT' || codeOf(thrown) === 'ENOTDIR') return undefined;
  throw thrown;
}
