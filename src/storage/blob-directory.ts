/**
 * Whose a blob directory is, and whether it is the same one every process sees.
 *
 * The file `installation` in it carries the mark of who made it and a random id of its own. Two processes that were given
 * the same path on two machines without a shared file system find two ids.
 */

import { link, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { UnavailableError } from '../errors.ts';
import { codeOf, makeDurableDirectory, syncDirectory, writeDurably } from '../lib/durable-file.ts';
import { blobFolders, randomBlobName } from './blob-name.ts';
import { parseMark, planMark, type StoreMark } from './store-mark.ts';

/** A temporary file older than this was left by a crash: no upload takes a day. */
const staleMs = 24 * 60 * 60 * 1000;

const temporaryName = /^[0-9a-f]{32}(?:\.part)?$/;

/** Where files are written before they have a name. */
export function temporaryFolder(dir: string): string {
  return join(dir, 'unfinished');
}

/**
 * Makes the directory where there is none, checks that it is ours, writes a file and reads it back, and removes what a
 * crash left half-written.
 *
 * @returns the directory's own id, which every process of an installation has to find the same.
 * @throws ConflictError `storage.foreign` where another installation or a newer version wrote it.
 */
export async function checkBlobDirectory(dir: string, mark: StoreMark): Promise<string> {
  const temporary = temporaryFolder(dir);
  await makeDurableDirectory(temporary);
  const id = await claim(dir, mark);
  for (const folder of blobFolders(dir)) await makeDurableDirectory(folder);
  await removeStale(temporary);
  await proveWritable(dir);
  return id;
}

async function claim(dir: string, mark: StoreMark): Promise<string> {
  const path = join(dir, 'installation');
  const store = `Blob directory "${dir}"`;
  if ((await readIfThere(path)) === undefined) await makeFirst(path, dir, { ...mark, directoryId: randomBlobName() });
  const found = parseClaim(await readIfThere(path));
  const plan = planMark(parseMark(found, store), mark, store);
  const directoryId = String(found['directoryId']);
  if (plan === 'write') {
    await writeDurably(path, renderClaim({ ...mark, directoryId }), join(temporaryFolder(dir), randomBlobName()));
  }
  return directoryId;
}

/** Of several processes that start at once, the one whose link is made first decides. */
async function makeFirst(path: string, dir: string, content: object): Promise<void> {
  const own = join(temporaryFolder(dir), randomBlobName());
  await writeDurably(own, renderClaim(content), `${own}.part`);
  try {
    await link(own, path);
    await syncDirectory(dir);
  } catch (thrown) {
    if (codeOf(thrown) !== 'EEXIST') throw thrown;
  } finally {
    await rm(own, { force: true });
  }
}

function renderClaim(content: object): Uint8Array {
  return Buffer.from(`${JSON.stringify(content, null, 2)}\n`);
}

/** What is no claim of ours is an empty one, which `parseMark` refuses. */
function parseClaim(text = ''): Record<string, unknown> {
  try {
    return (JSON.parse(text) ?? {}) as Record<string, unknown>;
  } catch {
    return {};
  }
}

async function proveWritable(dir: string): Promise<void> {
  const path = join(temporaryFolder(dir), randomBlobName());
  const token = randomBlobName();
  try {
    await writeDurably(path, Buffer.from(token), `${path}.part`);
    if ((await readFile(path, 'utf8')) !== token) {
      throw new UnavailableError(
        'blob.unavailable',
        `Blob directory "${dir}" does not give back what was written to it`,
      );
    }
  } finally {
    await rm(path, { force: true });
  }
}

async function removeStale(temporary: string): Promise<void> {
  const before = Date.now() - staleMs;
  for (const name of await readdir(temporary)) {
    if (!temporaryName.test(name)) continue;
    const path = join(temporary, name);
    const age = await stat(path).catch(() => undefined);
    if (age !== undefined && age.mtimeMs < before) await rm(path, { force: true });
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (thrown) {
    if (codeOf(thrown) === 'ENOENT') return undefined;
    throw thrown;
  }
}
