/** Whether a tenant may use an image that lies in the cache: whoever may no longer have it is found out within a day. */

import { ServiceError } from '../../src/errors.ts';
import { parseImageSource } from '../../src/launcher/image-source.ts';
import type { ImageRef, LauncherLog } from '../../src/launcher/launcher.ts';
import type { ImageUses } from './image-uses.ts';

export interface UseRights {
  /**
   * False where it has to be resolved first. A registry that is away stops nothing. Throws where it says no.
   *
   * @param digest - what the image is pinned to.
   */
  mayUse(digest: string, image: ImageRef, signal: AbortSignal): Promise<boolean>;
}

export interface UseRightsOptions {
  readonly uses: Pick<ImageUses, 'nameOf' | 'resolvedAt' | 'note'>;
  readonly resolve: (image: ImageRef, signal: AbortSignal) => Promise<unknown>;
  readonly log: LauncherLog;
}

const resolveAgainMs = 24 * 3_600_000;
/** A registry that is silent costs whoever asks it half a minute: one of the messages of so long. */
const askAgainMs = 5 * 60_000;

export function createUseRights({ uses, resolve, log }: UseRightsOptions): UseRights {
  /** When the registry was last asked, unless it said no. */
  const askedAtMs = new Map<string, number>();

  return {
    async mayUse(digest, image, signal) {
      const resolvedAt = await uses.resolvedAt(digest, image);
      if (resolvedAt === undefined) return false;
      const { kind } = parseImageSource(image.name);
      const isAsked = kind === 'registry' || kind === 'oras';
      const key = `${digest} ${uses.nameOf(image)}`;
      const nowMs = Date.now();
      if (!isAsked || nowMs - resolvedAt.getTime() < resolveAgainMs) return true;
      if (nowMs - (askedAtMs.get(key) ?? Number.NEGATIVE_INFINITY) < askAgainMs) return true;
      // Before what is awaited: those who come meanwhile go on with what was known.
      askedAtMs.set(key, nowMs);
      try {
        await resolve({ ...image, digest }, signal);
        await uses.note(digest, image, true);
      } catch (thrown) {
        if (signal.aborted || (thrown instanceof ServiceError && thrown.code === 'image.denied')) {
          askedAtMs.delete(key);
          throw thrown;
        }
        log.debug({ err: thrown, digest }, 'image not resolved again; what was known goes on');
      }
      return true;
    },
  };
}
