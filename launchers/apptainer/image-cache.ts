/** The images that are kept on a cluster, for people who look at them and take old ones away. */

import type { CachedImage, ImageCache, PruneRequest } from '../../src/launcher/launcher.ts';
import { optional } from '../../src/lib/optional.ts';
import type { Owners } from '../host/owners.ts';
import type { SifStore } from './sif-store.ts';

export interface ImageCacheOptions {
  readonly installationId: string;
  readonly owners: Owners;
  /** That of all, and those of users. */
  readonly stores: () => Promise<readonly OwnedStore[]>;
  /** Digests of the images of what runs, or waits, of a user. */
  readonly digestsInRuns: (owner: string) => Promise<readonly string[]>;
}

interface OwnedStore {
  readonly owner?: string;
  readonly store: SifStore;
}

/** Whoever has just been told that an image is there has yet to write down that it is needed. */
const leastAgeMs = 3_600_000;
/** What another installation has asked for so lately is taken for needed there: nobody here can say. */
const othersMs = 30 * 86_400_000;

export function createImageCache(options: ImageCacheOptions): ImageCache {
  async function listIn({ owner, store }: OwnedStore): Promise<readonly CachedImage[]> {
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

  async function runningDigests(): Promise<ReadonlySet<string>> {
    const owners = await options.owners.list();
    return new Set((await Promise.all(owners.map(async (owner) => await options.digestsInRuns(owner)))).flat());
  }

  return {
    async list() {
      return (await Promise.all((await options.stores()).map(listIn))).flat();
    },
    async prune(request) {
      const pruned: CachedImage[] = [];
      for (const owned of await options.stores()) {
        const running = await runningDigests();
        for (const image of await listIn(owned)) {
          if (!mayGo(image, request, running)) continue;
          if (request.dryRun || (await owned.store.remove(image.digest))) pruned.push(image);
        }
      }
      return pruned;
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
