/** Writing files that are still there after a loss of power: the file first, then the directory that names it. */

import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { makeDirectory } from './make-directory.ts';

export type Bytes = Uint8Array | AsyncIterable<Uint8Array>;

/** Writes all of `content` at `path`, or nothing: under `temporary` first, on the same file system. @returns its size. */
export async function writeDurably(path: string, content: Bytes, temporary: string, mode = 0o640): Promise<number> {
  try {
    await using file = await open(temporary, 'wx', mode);
    const bytes = await writeContent(file, content);
    await file.sync();
    await rename(temporary, path);
    await syncDirectory(dirname(path));
    return bytes;
  } catch (thrown) {
    await rm(temporary, { force: true });
    throw thrown;
  }
}

/** Makes the directory and what leads to it; all that is new is on the disk before this resolves. */
export async function makeDurableDirectory(path: string): Promise<void> {
  const firstMade = await makeDirectory(path, 0o750);
  if (firstMade === undefined) return;
  const top = dirname(resolve(firstMade));
  let parent = dirname(resolve(path));
  for (; parent !== top; parent = dirname(parent)) await syncDirectory(parent);
  await syncDirectory(top);
}

export async function syncDirectory(path: string): Promise<void> {
  await using directory = await open(path, 'r');
  await directory.sync();
}

/** Writes every byte at `position`, also where the system takes them in parts. */
export async function writeFully(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  let written = 0;
  while (written < bytes.byteLength) {
    const { bytesWritten } = await file.write(bytes, written, bytes.byteLength - written, position + written);
    written += bytesWritten;
  }
}

async function writeContent(file: FileHandle, content: Bytes): Promise<number> {
  let bytes = 0;
  for await (const chunk of content instanceof Uint8Array ? [content] : content) {
    await writeFully(file, chunk, bytes);
    bytes += chunk.byteLength;
  }
  return bytes;
}

/** The system's word for what went wrong, `ENOENT` say. */
export function codeOf(thrown: unknown): string | undefined {
  const code = thrown instanceof Error ? (thrown as NodeJS.ErrnoException).code : undefined;
  return code !== undefined && /^E[A-Z0-9]+$/.test(code) ? code : undefined;
}
