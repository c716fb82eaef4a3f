/** Docker's way of writing an amount of memory: `512m`, `1g`, a plain number of bytes, `-1` for no limit. */

import { InvalidError } from '../errors.ts';

const units: Readonly<Record<string, number>> = { '': 1, b: 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

/** Below it the engine refuses to create a container. */
const leastBytes = 6 * 1024 ** 2;

/** @returns bytes, or nothing for no limit. */
export function parseMemory(text: string): number | undefined {
  if (text.trim() === '-1') return undefined;
  const match = /^(\d+(?:\.\d+)?)\s*([bkmg]?)b?$/i.exec(text.trim());
  const unit = units[(match?.[2] ?? '').toLowerCase()];
  const bytes = match && unit !== undefined ? Math.floor(Number(match[1]) * unit) : Number.NaN;
  if (Number.isSafeInteger(bytes) && bytes >= leastBytes) return bytes;
  throw new InvalidError(
    'actor.invalid',
    `Memory limit "${text}" is not an amount of at least 6m; write for instance 512m, 1g, or -1 for none`,
  );
}
