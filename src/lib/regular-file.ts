/** Opens a file for reading in whose place somebody else may have put anything. */

import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

/** @returns nothing where no regular file is: none at all, a directory, a pipe, or a link where none is followed. */
export async function openRegular(path: string, { followLinks = false } = {}): Promise<FileHandle | undefined> {
  // Without NONBLOCK, a pipe put in the file's place would hold us until somebody writes.
  const flags = constants.O_RDONLY | constants.O_NONBLOCK | (followLinks ? 0 : constants.O_NOFOLLOW);
  const handle = await open(path, flags).catch((error: NodeJS.ErrnoException) => {
    if (['ENOENT', 'ENOTDIR', 'ELOOP', 'ENXIO'].includes(error.code ?? '')) return undefined;
    throw error;
  });
  if (handle === undefined || (await handle.stat()).isFile()) return handle;
  await handle.close();
  return undefined;
}
