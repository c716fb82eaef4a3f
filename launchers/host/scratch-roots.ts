/** Only what is below one of these directories is ever removed as a tree. */

import { isAbsolute, normalize, sep } from 'node:path';
import { InvalidError } from '../../src/errors.ts';

/** Throws `InvalidError` for the roots themselves, for what is not below one, and for paths with "..". */
export function checkBelowRoots(path: string, roots: readonly string[]): void {
  const parts = path.split(sep);
  const below = roots.some((root) => path.startsWith(`${normalize(root).replace(/\/+$/, '')}/`));
  const named = (parts.at(-1) ?? '') !== '';
  if (isAbsolute(path) && below && named && !parts.includes('..') && !parts.includes('.')) return;
  const where = roots.length === 0 ? 'no directory' : roots.map((root) => `"${root}"`).join(' or ');
  throw new InvalidError('host.outside', `Tree ${JSON.stringify(path)} is not removed: only what is below ${where} is`);
}
