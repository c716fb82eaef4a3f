/** Names of blobs, and where in the blob directory each has its place. */

import { createHash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { InvalidError } from '../errors.ts';

/** No separator, no leading dot, no control character: a name is one file in its folder, whatever it says. */
const allowed = /^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$/;

export function randomBlobName(): string {
  return randomBytes(16).toString('hex');
}

/** The folder of a blob, one of 256 below `dir`, so that none grows long. Rejects what is not a name. */
export function blobFolder(dir: string, name: string): string {
  if (!allowed.test(name)) {
    const shown = JSON.stringify(name.slice(0, 80));
    throw new InvalidError(
      'request.invalid',
      `Blob ${shown} cannot be: a name has 1 to 200 letters, digits, dots, hyphens and underscores, a letter or digit first`,
    );
  }
  return join(dir, createHash('sha256').update(name).digest('hex').slice(0, 2));
}

export function blobFolders(dir: string): string[] {
  return Array.from({ length: 256 }, (_, n) => join(dir, n.toString(16).padStart(2, '0')));
}

export function blobPath(dir: string, name: string): string {
  return join(blobFolder(dir, name), name);
}
