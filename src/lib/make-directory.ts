import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Makes the directory and what leads to it. Not by the recursive `mkdir` of Node: in a directory that answers ENOENT to
 * whoever makes another in it, as /proc does, that one tries without end.
 *
 * @returns the topmost that was made; nothing where all were there.
 */
export async function makeDirectory(path: string, mode: number): Promise<string | undefined> {
  try {
    return (await makeOne(path, mode)) ? path : undefined;
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'ENOENT') throw thrown;
  }
  // Another may have made it by now.
  const above = (await isDirectory(dirname(path))) ? undefined : await makeDirectory(dirname(path), mode);
  const isMade = await makeOne(path, mode);
  return above ?? (isMade ? path : undefined);
}

/** @returns false where it was there. */
async function makeOne(path: string, mode: number): Promise<boolean> {
  try {
    await mkdir(path, { mode });
    return true;
  } catch (thrown) {
    if (await isDirectory(path)) return false;
    throw thrown;
  }
}

async function isDirectory(path: string): Promise<boolean> {
  return await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
