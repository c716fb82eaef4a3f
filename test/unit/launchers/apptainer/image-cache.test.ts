/** What people see of images, and may take away, while an owner cannot be reached. */

import { describe, expect, it } from 'vitest';
import { createImageCache } from '../../../../launchers/apptainer/image-cache.ts';
import type { SifStore } from '../../../../launchers/apptainer/sif-store.ts';
import { ForbiddenError, InvalidError, UnavailableError } from '../../../../src/errors.ts';
import { silentLog } from '../../../support/silent-log.ts';

/** One image, long unused. */
function playStore(digest: string, thrown?: Error, builtAt = new Date(0)): SifStore {
  const record = { digest, name: digest, sha256: '', bytes: 1, builtAt: builtAt.toISOString() };
  return {
    records: async () => (thrown ? await Promise.reject(thrown) : [record]),
    uses: { list: async () => [] },
    pathOf: () => digest,
    remove: async () => true,
  } as unknown as SifStore;
}

const request = { olderThanMs: 0, isNeeded: () => false, dryRun: false, now: new Date() };

describe('images of a cluster', () => {
  it.each([
    ['has left', new ForbiddenError('host.denied', 'no such user'), ['shared', 'bob']],
    // What runs as that owner, and with which image, nobody can say.
    ['does not answer', new UnavailableError('host.unavailable', 'away'), ['bob']],
  ])('are listed and pruned where an owner %s', async (_, thrown, pruned) => {
    const cache = createImageCache({
      installationId: 'here',
      owners: { list: async () => ['aaron', 'bob'] },
      shared: playStore('shared'),
      storeOf: (owner) => playStore(owner, owner === 'aaron' ? thrown : undefined),
      digestsInRuns: async (owner) => (owner === 'aaron' ? await Promise.reject(thrown) : []),
      letGo: async () => undefined,
      log: silentLog,
    });
    expect((await cache.list()).map(({ digest }) => digest)).toEqual(['shared', 'bob']);
    expect((await cache.prune(request)).map(({ digest }) => digest)).toEqual(pruned);
  });

  it.each([
    // What that owner has in the queue may need it; who has left for good holds nothing for ever.
    ['is refused', 10, new ForbiddenError('host.denied', 'no such user'), []],
    ['is refused', 31, new ForbiddenError('host.denied', 'no such user'), ['shared']],
    ['cannot have an account', 10, new InvalidError('actor.invalid', 'no name of an account'), ['shared']],
  ])('are pruned where an owner %s, unused for %i days', async (_, days, thrown, pruned) => {
    const cache = createImageCache({
      installationId: 'here',
      owners: { list: async () => ['aaron'] },
      shared: playStore('shared', undefined, new Date(request.now.getTime() - days * 86_400_000)),
      storeOf: (owner) => playStore(owner, thrown),
      digestsInRuns: async () => await Promise.reject(thrown),
      letGo: async () => undefined,
      log: silentLog,
    });
    expect((await cache.prune(request)).map(({ digest }) => digest)).toEqual(pruned);
  });
});
