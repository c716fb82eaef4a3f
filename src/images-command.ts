/** Bodies of `abaco images list` and `abaco images prune`: what clusters keep, and what nobody needs there any more. */

import Table from 'cli-table3';
import { createActorStore } from './actors/actor-store.ts';
import type { LoadedConfig } from './config/load.ts';
import { InvalidError } from './errors.ts';
import type { CachedImage } from './launcher/image-cache.ts';
import type { Launcher } from './launcher/launcher.ts';
import { parseDuration } from './lib/duration.ts';
import { createKeys } from './mailbox/keys.ts';
import { openLaunchers } from './main.ts';
import type { Logger } from './observability/logger.ts';
import { withRedis } from './storage/operator-redis.ts';

export interface ImagesFlags {
  /** Of the launchers that keep images, this one alone. */
  readonly launcher: string | undefined;
  readonly json: boolean;
}

export interface PruneFlags extends ImagesFlags {
  readonly olderThan: string;
  readonly dryRun: boolean;
}

interface Known {
  readonly installationId: string;
  readonly digests: ReadonlySet<string>;
}

interface Found extends CachedImage {
  readonly launcher: string;
  /** Whether an actor is pinned to it. */
  readonly needed: boolean;
}

export async function listImages(flags: ImagesFlags, loaded: LoadedConfig, log: Logger): Promise<void> {
  const known = await readKnown(loaded);
  const images = await withCaches(flags, loaded, log, known, async (name, { images: cache }) =>
    (await cache.list()).map((image) => describe(image, name, known)),
  );
  print(images, flags.json, 'No images are kept');
}

/** Never one that an actor is pinned to, or that something runs or waits with. */
export async function pruneImages(flags: PruneFlags, loaded: LoadedConfig, log: Logger): Promise<void> {
  const olderThanMs = parseDuration(flags.olderThan);
  if (olderThanMs === undefined) {
    throw new InvalidError('request.invalid', `--older-than "${flags.olderThan}" is no duration, as 12h or 30d`);
  }
  const known = await readKnown(loaded);
  const request = {
    olderThanMs,
    dryRun: flags.dryRun,
    isNeeded: (digest: string) => known.digests.has(digest),
    now: new Date(),
  };
  const images = await withCaches(flags, loaded, log, known, async (name, { images: cache }) =>
    (await cache.prune(request)).map((image) => describe(image, name, known)),
  );
  print(images, flags.json, 'Nothing is old and needed by nobody');
}

type Keeping = Launcher & { readonly images: NonNullable<Launcher['images']> };

async function withCaches(
  flags: ImagesFlags,
  loaded: LoadedConfig,
  log: Logger,
  { installationId }: Known,
  use: (name: string, launcher: Keeping) => Promise<readonly Found[]>,
): Promise<readonly Found[]> {
  const launchers = await openLaunchers(loaded, log, installationId);
  try {
    const keeping = launchers.filter((launcher): launcher is Keeping => launcher.images !== undefined);
    const wanted = keeping.filter(({ name }) => flags.launcher === undefined || flags.launcher === name);
    if (flags.launcher !== undefined && wanted.length === 0) {
      const names = keeping.map(({ name }) => name).join(', ') || 'none';
      throw new InvalidError(
        'launcher.unknown',
        `Launcher "${flags.launcher}" keeps no images; those that do: ${names}`,
      );
    }
    return (await Promise.all(wanted.map(async (launcher) => await use(launcher.name, launcher)))).flat();
  } finally {
    for (const launcher of launchers) await launcher.close();
  }
}

/** What Redis knows of actors. */
async function readKnown({ config }: LoadedConfig): Promise<Known> {
  const { prefix } = config.redis;
  const place = { config, key: createKeys(prefix).installation, why: 'only Redis knows which images actors use' };
  return await withRedis(place, async (redis, { installationId }) => {
    const actors = createActorStore({ redis, prefix });
    const refs = await actors.refs();
    const found = await Promise.all(refs.map(async ({ tenant, actorId }) => await actors.get(tenant, actorId)));
    const digests = found.map((actor) => actor?.digest).filter((digest) => digest !== undefined);
    return { installationId, digests: new Set(digests) };
  });
}

function describe(image: CachedImage, launcher: string, { digests }: Known): Found {
  return { launcher, ...image, needed: digests.has(image.digest) };
}

function print(images: readonly Found[], json: boolean, nothing: string): void {
  if (json) {
    process.stdout.write(`${JSON.stringify(images, null, 2)}\n`);
    return;
  }
  if (images.length === 0) {
    process.stdout.write(`${nothing}\n`);
    return;
  }
  const table = new Table({
    head: ['launcher', 'image', 'digest', 'size', 'last used', 'actors'],
    style: { head: [] },
  });
  for (const { launcher, name, digest, bytes, usedAt, needed, owner } of images) {
    const whose = owner === undefined ? name : `${name} (of ${owner})`;
    const size = `${(bytes / 1_048_576).toFixed(1)} MiB`;
    table.push([launcher, whose, digest.slice(0, 19), size, usedAt.toISOString().slice(0, 16), needed ? 'yes' : 'no']);
  }
  process.stdout.write(`${table.toString()}\n`);
}
