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
    await mkdir(path, { mode });
    return path;
  } catch (thrown) {
    if (await isDirectory(path)) return undefined;
    const isMissing = (thrown as NodeJS.ErrnoException).code === 'ENOENT';
    if (!isMissing || (await isDirectory(dirname(path)))) throw thrown;
  }
  const above = await makeDirectory(dirname(path), mode);
  const own = await makeDirectory(path, mode);
  return above ?? own;
}

async function isDirectory(path: string): Promise<boolean> {
  return await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
