/**
 * Bodies, logs and results that are too large for Redis or the history, as files in one directory that every API and
 * supervisor process sees.
 *
 * ```text
 * DIR/installation     whose directory it is
 * DIR/unfinished/      what is being written
 * DIR/00 … DIR/ff      the blobs, by the hash of their names
 * ```
 */

import { type FileHandle, open, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { asError, ServiceError, UnavailableError } from '../errors.ts';
import {
  type Bytes,
  codeOf,
  makeDurableDirectory,
  syncDirectory,
  writeDurably,
  writeFully,
} from '../lib/durable-file.ts';
import { checkBlobDirectory, temporaryFolder } from './blob-directory.ts';
import { blobFolder, blobPath, randomBlobName } from './blob-name.ts';
import type { StoreMark } from './store-mark.ts';

/** A name to find the blob again, and its size. */
export interface Blob {
  readonly blob: string;
  readonly bytes: number;
}

/** A disk that is full or a directory that is gone rejects with `blob.unavailable`, and what was there stays. */
export interface BlobStore {
  /**
   * Keeps all of `content` under `name` (a random one where none is given), or nothing. It is on the disk when this
   * resolves. A name that is there gets the new content.
   */
  put(content: Bytes, name?: string): Promise<Blob>;

  /** The bytes from `offset` on; none where `offset` is at or behind the end. Rejects when there is no such blob. */
  open(name: string, offset?: number): AsyncIterable<Uint8Array>;

  /** Opens a live log for writing, and makes it where there is none. Readers see what was appended at once. */
  openLog(name: string): Promise<LogWriter>;

  /** Nothing when there is no such blob. */
  size(name: string): Promise<number | undefined>;

  /** Again is a no-op. */
  remove(name: string): Promise<void>;

  /** At every start, see `checkBlobDirectory`. @returns the directory's own id. */
  check(mark: StoreMark): Promise<string>;
}

/**
 * Writes a live log, one call at a time.
 *
 * Each writer writes at its own position. So two that copy the same log, a worker that lost its lease and the one that
 * took over, write the same bytes to the same places, and an append that failed half-way is repeated over itself.
 */
export interface LogWriter {
  /** Where the next append goes: the bytes there are, so a copy that goes on starts from here. */
  readonly size: number;
  append(bytes: Uint8Array): Promise<void>;
  /** What was appended is on the disk when this resolves. Again is a no-op. */
  close(): Promise<void>;
}

/** Large enough that the system calls do not count, small enough for thousands of readers. */
const readBytes = 64 * 1024;

export function createBlobStore({ dir }: { readonly dir: string }): BlobStore {
  async function guarded<T>(name: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (thrown) {
      throw asBlobError(thrown, dir, name);
    }
  }

  /** Trouble of the sender, who hung up say, is not the directory's: it is thrown as it came. */
  async function put(content: Bytes, name = randomBlobName()): Promise<Blob> {
    const source = content instanceof Uint8Array ? undefined : watchSource(content);
    try {
      await makeDurableDirectory(blobFolder(dir, name));
      await makeDurableDirectory(temporaryFolder(dir));
      const temporary = join(temporaryFolder(dir), randomBlobName());
      const bytes = await writeDurably(blobPath(dir, name), source?.content ?? (content as Uint8Array), temporary);
      return { blob: name, bytes };
    } catch (thrown) {
      throw source?.failed() === true ? thrown : asBlobError(thrown, dir, name);
    }
  }

  async function openLog(name: string): Promise<LogWriter> {
    const folder = blobFolder(dir, name);
    await makeDurableDirectory(folder);
    const file = await openOrMake(blobPath(dir, name));
    let { size } = await file.stat();
    let closing: Promise<void> | undefined;
    return {
      get size() {
        return size;
      },
      append: (bytes) =>
        guarded(name, async () => {
          await writeFully(file, bytes, size);
          size += bytes.byteLength;
        }),
      close: () => (closing ??= guarded(name, () => closeDurably(file, folder))),
    };
  }

  return {
    put,
    open: (name, offset = 0) => readFrom(dir, name, offset),
    openLog: async (name) => guarded(name, () => openLog(name)),
    size: (name) =>
      guarded(name, async () => {
        const found = await stat(blobPath(dir, name)).catch(nothingWhenMissing);
        return found?.size;
      }),
    remove: (name) => guarded(name, async () => rm(blobPath(dir, name), { force: true })),
    check: (mark) => guarded('installation', () => checkBlobDirectory(dir, mark)),
  };
}

async function* readFrom(dir: string, name: string, offset: number): AsyncIterable<Uint8Array> {
  try {
    await using file = await open(blobPath(dir, name), 'r');
    let position = offset;
    for (;;) {
      const { buffer, bytesRead } = await file.read({ buffer: new Uint8Array(readBytes), position });
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
      position += bytesRead;
    }
  } catch (thrown) {
    throw asBlobError(thrown, dir, name);
  }
}

function watchSource(source: AsyncIterable<Uint8Array>) {
  let failed = false;
  async function* watched() {
    try {
      for await (const chunk of source) yield chunk;
    } catch (thrown) {
      failed = true;
      throw thrown;
    }
  }
  return { content: watched(), failed: () => failed };
}

/** Neither truncates nor appends: Linux ignores positions on files opened for append. */
async function openOrMake(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'wx', 0o640);
  } catch (thrown) {
    if (codeOf(thrown) !== 'EEXIST') throw thrown;
    return open(path, 'r+');
  }
}

async function closeDurably(file: FileHandle, folder: string): Promise<void> {
  try {
    await file.sync();
    await syncDirectory(folder);
  } finally {
    await file.close();
  }
}

function nothingWhenMissing(thrown: unknown): undefined {
  if (codeOf(thrown) !== 'ENOENT') throw thrown;
}

/** Failures of the file system as `blob.unavailable`; what is none of them stays itself. */
function asBlobError(thrown: unknown, dir: string, name: string): Error {
  const error = asError(thrown);
  const code = codeOf(error);
  if (error instanceof ServiceError || code === undefined) return error;
  const sentence =
    code === 'ENOSPC' || code === 'EDQUOT'
      ? `Blob directory "${dir}" is full: blob "${name}" could not be written (${code}); free some space there`
      : `Blob "${name}" in directory "${dir}" cannot be used: ${error.message}`;
  return new UnavailableError('blob.unavailable', sentence, { cause: error });
}
