/** The images that are kept on a cluster, for people who look at them and take old ones away. */

import { ForbiddenError, InvalidError } from '../../src/errors.ts';
import type { CachedImage, ImageCache, PruneRequest } from '../../src/launcher/image-cache.ts';
import type { LauncherLog } from '../../src/launcher/launcher.ts';
import { optional } from '../../src/lib/optional.ts';
import type { Owners } from '../host/owners.ts';
import type { SifStore } from './sif-store.ts';

export interface ImageCacheOptions {
  readonly installationId: string;
  readonly owners: Pick<Owners, 'list'>;
  /** That of all. */
  readonly shared: SifStore;
  /** That of a user. */
  readonly storeOf: (owner: string) => SifStore;
  /** Digests of the images of what runs, or waits, of a user. */
  readonly digestsInRuns: (owner: string) => Promise<readonly string[]>;
  /** Closes the connection of a user that nobody uses. */
  readonly letGo: (owner: string) => Promise<void>;
  readonly log: LauncherLog;
}

/** Whoever has just been told that an image is there has yet to write down that it is needed. */
const leastAgeMs = 3_600_000;
/**
 * What was asked for so lately is taken for needed where nobody here can say: by another installation, or by what an owner
 * whose account refuses us has in a queue. Who has left for good refuses for ever, so it is no reason to keep all.
 */
const othersMs = 30 * 86_400_000;

/** How many owners could not be asked. */
interface Unasked {
  readonly refused: number;
  readonly away: number;
}

export function createImageCache(options: ImageCacheOptions): ImageCache {
  const { owners, shared, storeOf, digestsInRuns, letGo, log } = options;

  async function listIn(store: SifStore, owner?: string): Promise<readonly CachedImage[]> {
    const records = await store.records();
    return await Promise.all(
      records.map(async ({ digest, name, bytes, builtAt }) => {
        const uses = await store.uses.list(digest);
        const last =
          uses
            .map(({ usedAt }) => usedAt)
            .toSorted()
            .at(-1) ?? builtAt;
        const others = uses.filter(({ installation }) => installation !== options.installationId);
        return {
          digest,
          name,
          bytes: bytes ?? 0,
          path: store.pathOf(digest),
          usedAt: new Date(last ?? 0),
          tenants: [...new Set(uses.map(({ tenant }) => tenant))].toSorted(),
          usedElsewhere: others.some(({ usedAt }) => Date.now() - Date.parse(usedAt) < othersMs),
          ...optional('owner', owner),
        };
      }),
    );
  }

  async function pruneIn(store: SifStore, request: PruneRequest, running: readonly string[], owner?: string) {
    const pruned: CachedImage[] = [];
    for (const image of await listIn(store, owner)) {
      if (!mayGo(image, request, new Set(running))) continue;
      if (request.dryRun || (await store.remove(image.digest))) pruned.push(image);
    }
    return pruned;
  }

  /** One after the other, with a connection of one at a time. @returns who could not be asked and may have something. */
  async function forEachOwner(look: (owner: string) => Promise<void>): Promise<Unasked> {
    const unasked = { refused: 0, away: 0 };
    for (const owner of await owners.list()) {
      try {
        await look(owner);
        await letGo(owner);
      } catch (thrown) {
        // Of whom there can be no account, nothing runs; an account that refuses us may have had something before.
        if (thrown instanceof ForbiddenError) unasked.refused += 1;
        else if (!(thrown instanceof InvalidError)) unasked.away += 1;
        log.warn({ err: thrown, owner }, 'images of an owner not looked at; those of the others are');
      }
    }
    return unasked;
  }

  return {
    async list() {
      const images = [...(await listIn(shared))];
      await forEachOwner(async (owner) => void images.push(...(await listIn(storeOf(owner), owner))));
      return images;
    },
    async prune(request) {
      const pruned: CachedImage[] = [];
      const running: string[] = [];
      const { refused, away } = await forEachOwner(async (owner) => {
        const own = await digestsInRuns(owner);
        running.push(...own);
        pruned.push(...(await pruneIn(storeOf(owner), request, own, owner)));
      });
      if (away > 0) {
        log.warn({}, 'images that all use not pruned: what runs with them is not known of every owner');
        return pruned;
      }
      const olderThanMs = refused > 0 ? Math.max(request.olderThanMs, othersMs) : request.olderThanMs;
      return [...(await pruneIn(shared, { ...request, olderThanMs }, running)), ...pruned];
    },
  };
}

/** Old enough, and needed by nobody: no actor, nothing that runs, no other installation. */
export function mayGo(
  image: CachedImage,
  { olderThanMs, isNeeded, now }: PruneRequest,
  running: ReadonlySet<string>,
): boolean {
  const ageMs = now.getTime() - image.usedAt.getTime();
  if (ageMs < Math.max(olderThanMs, leastAgeMs)) return false;
  return !image.usedElsewhere && !running.has(image.digest) && !isNeeded(image.digest);
}
