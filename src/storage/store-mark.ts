/** Who wrote a store, and whether we may go on writing it. */

import { ConflictError } from '../errors.ts';

/**
 * Kept in every store and checked at every start. `shape` grows when what is stored changes; a newer one than ours, or
 * another installation's id, is refused with a sentence that says what wrote it.
 */
export interface StoreMark {
  readonly installationId: string;
  readonly shape: number;
  readonly writtenBy: string;
}

/**
 * Decides on the mark found in `store` (its name for people, say `History "…/history.sqlite"`).
 *
 * @returns whether our own mark has to be written: the store is new, or an older version of us wrote it last.
 * @throws ConflictError `storage.foreign` where the store is not ours to write.
 */
export function planMark(found: StoreMark | undefined, ours: StoreMark, store: string): 'keep' | 'write' {
  if (found === undefined) return 'write';
  const { installationId, shape, writtenBy } = found;
  if (installationId !== ours.installationId) {
    throw new ConflictError(
      'storage.foreign',
      `${store} belongs to installation "${installationId}" (written by ${writtenBy}), and this is installation ` +
        `"${ours.installationId}": give this installation a store of its own, or restore the other's data directory`,
    );
  }
  if (shape > ours.shape) {
    throw new ConflictError(
      'storage.foreign',
      `${store} was written by ${writtenBy} in shape ${shape}, and ${ours.writtenBy} knows shapes up to ` +
        `${ours.shape}: start ${writtenBy} or a newer version`,
    );
  }
  return shape === ours.shape && writtenBy === ours.writtenBy ? 'keep' : 'write';
}

/** Reads a mark from what a store gave back; anything else than a mark is refused like a foreign store. */
export function parseMark(value: unknown, store: string): StoreMark {
  const { installationId, shape, writtenBy } = (value ?? {}) as Record<string, unknown>;
  if (typeof installationId !== 'string' || typeof shape !== 'number' || typeof writtenBy !== 'string') {
    throw new ConflictError(
      'storage.foreign',
      `${store} holds a mark that none of our versions wrote: use another one`,
    );
  }
  return { installationId, shape, writtenBy };
}
