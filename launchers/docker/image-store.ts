import { mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InvalidError, LauncherError, UnavailableError } from '../../src/errors.ts';
import {
  type ImageName,
  isDigest,
  isSameRepository,
  parseImageName,
  registryOf,
  renderImageName,
} from '../../src/launcher/image-name.ts';
import { parseImageSource } from '../../src/launcher/image-source.ts';
import type { ImageRef, LauncherContext, PreparedImage } from '../../src/launcher/launcher.ts';
import { createIdleLimit } from '../../src/lib/idle-limit.ts';
import { optional } from '../../src/lib/optional.ts';
import { orAborted } from '../../src/lib/or-aborted.ts';
import type { DockerOptions } from './docker-options.ts';
import type { Engine, RegistryCredentials } from './engine.ts';
import { isRefusal, layerFailure, pullFailure } from './engine-error.ts';
import { ensurePreparedImage, preparedImageName, sweepPreparedImages } from './prepared-image.ts';

/** Images of the engine, pinned to digests and ready to start. */
export interface ImageStore {
  prepare(image: ImageRef, signal: AbortSignal): Promise<PreparedImage>;
  /** Forgets what it knew of an image that turned out to be gone. */
  forget(image: PreparedImage): void;
  /** Removes what was prepared and has not been asked for in a month. */
  sweep(signal: AbortSignal): Promise<void>;
}

/** For so long an image that was found here is not looked for again: each launch asks, and an image seldom goes. */
const knownForMs = 60_000;
/** Prepared images are cheap to keep and hold on to the layers of a pinned image that lost its tag. */
const keptForMs = 30 * 86_400_000;

/**
 * A pull takes what it takes, but all that ask for its image wait for it. Engines tell of its progress every second or so;
 * the rest is for a large layer that a slow disk takes apart.
 */
const stalledAfterMs = 600_000;

interface Inspected {
  readonly Id: string;
  readonly RepoDigests: readonly string[] | null;
  readonly Config: { readonly Entrypoint?: readonly string[] | null; readonly Cmd?: readonly string[] | null } | null;
}

export function createImageStore(parts: {
  readonly engine: Engine;
  readonly pullPolicy: DockerOptions['pull'];
  readonly registries: LauncherContext['registries'];
  readonly installationId: string;
  /** Where it notes when an image was last asked for. */
  readonly dataDir: string;
  readonly log: LauncherContext['log'];
}): ImageStore {
  const { engine, pullPolicy, registries, installationId, dataDir, log } = parts;
  const known = new Map<string, { readonly until: number; readonly image: Promise<PreparedImage> }>();

  async function prepare(image: ImageRef, signal: AbortSignal): Promise<PreparedImage> {
    const name = nameOf(image);
    signal.throwIfAborted();
    const key = keyOf(image);
    const found = known.get(key);
    if (found && found.until > performance.now()) return orAborted(found.image, signal);
    // Not bound to this caller's signal: others may wait for the same pull.
    const asked = make(name, image);
    known.set(key, { until: Number.POSITIVE_INFINITY, image: asked });
    asked.then(
      () => known.set(key, { until: performance.now() + (pinnedDigest(name, image) ? knownForMs : 0), image: asked }),
      () => known.delete(key),
    );
    return orAborted(asked, signal);
  }

  async function make(name: ImageName, image: ImageRef): Promise<PreparedImage> {
    const found = await fetchImage({ engine, pullPolicy, registries, name, digest: pinnedDigest(name, image) });
    const digest = pinnedDigest(name, image) ?? digestIn(found, name) ?? found.Id;
    await ensurePreparedImage(engine, { id: found.Id, digest, installationId, log }).catch((thrown: unknown) => {
      throw layerFailure(thrown, image.name);
    });
    await noteUse(digest);
    return { name: image.name, digest, argv: [...(found.Config?.Entrypoint ?? []), ...(found.Config?.Cmd ?? [])] };
  }

  /** No image is refused for it: at worst its prepared form is swept, and made again. */
  async function noteUse(digest: string): Promise<void> {
    try {
      await mkdir(dataDir, { recursive: true, mode: 0o700 });
      await writeFile(join(dataDir, stampOf(preparedImageName(installationId, digest))), `${digest}\n`);
    } catch (thrown) {
      log.warn({ err: thrown, digest }, 'use of an image not noted; the next one is');
    }
  }

  async function isRecent(preparedName: string): Promise<boolean> {
    const usedAt = await stat(join(dataDir, stampOf(preparedName))).then(
      (stats) => stats.mtimeMs,
      // Of what cannot be looked at nobody knows that it is old.
      (error: NodeJS.ErrnoException) => (error.code === 'ENOENT' ? 0 : Date.now()),
    );
    const isKept = Date.now() - usedAt < keptForMs;
    if (!isKept) await rm(join(dataDir, stampOf(preparedName)), { force: true });
    return isKept;
  }

  return {
    prepare,
    forget: (image) => void known.delete(keyOf(image)),
    sweep: (signal) => sweepPreparedImages(engine, installationId, isRecent, signal),
  };
}

/** "docker://" is what is meant anyway; other sources are for clusters. */
function nameOf({ name }: ImageRef): ImageName {
  const source = parseImageSource(name);
  if (source.kind === 'registry') return source.name;
  throw new InvalidError(
    'image.invalid',
    `Image ${JSON.stringify(name)} is not for an engine: it runs images of registries`,
  );
}

function keyOf({ name, digest }: ImageRef): string {
  return digest === undefined ? name : `${name} ${digest}`;
}

function pinnedDigest(name: ImageName, image: ImageRef): string | undefined {
  return image.digest ?? name.digest;
}

function stampOf(preparedName: string): string {
  return preparedName.replace(':', '-');
}

interface Wanted {
  readonly engine: Engine;
  readonly pullPolicy: DockerOptions['pull'];
  readonly registries: LauncherContext['registries'];
  readonly name: ImageName;
  readonly digest: string | undefined;
}

/** Finds an image here or pulls it, as the pull policy says. A pinned one is never looked for under its tag. */
async function fetchImage(wanted: Wanted): Promise<Inspected> {
  const { engine, pullPolicy, name, digest } = wanted;
  const references = digest === undefined ? [renderImageName(name)] : [renderPinned(name, digest), digest];
  const mayBeHere = digest !== undefined || pullPolicy !== 'always';
  const here = mayBeHere ? await inspectFirst(engine, references) : undefined;
  if (here) return here;
  if (pullPolicy === 'never') throw notHere(references[0] as string);
  await pull(wanted);
  const pulled = await inspectFirst(engine, references);
  if (!pulled) throw notHere(references[0] as string);
  return pulled;
}

async function inspectFirst(engine: Engine, references: readonly string[]): Promise<Inspected | undefined> {
  for (const reference of references) {
    try {
      return (await engine.ask({ method: 'GET', path: `/images/${reference}/json` })) as Inspected;
    } catch (error) {
      if (!isRefusal(error, 404)) throw pullFailure(error, reference);
    }
  }
  return undefined;
}

async function pull({ engine, registries, name, digest }: Wanted): Promise<void> {
  const query = {
    fromImage: renderImageName({ ...optional('registry', name.registry), repository: name.repository }),
    tag: digest ?? name.tag ?? 'latest',
  };
  const shown = digest === undefined ? renderImageName(name) : renderPinned(name, digest);
  using idle = createIdleLimit(stalledAfterMs, () => {
    const message = `Image "${shown}" was not pulled: nothing came of it for ${stalledAfterMs / 60_000} min`;
    return new UnavailableError('image.registry_unavailable', message);
  });
  const question = {
    method: 'POST',
    path: '/images/create',
    query,
    ...optional('credentials', credentialsFor(name, registries)),
    limit: 'none',
    onBytes: idle.beat,
  } as const;
  try {
    await engine.ask(question, idle.signal);
  } catch (error) {
    throw pullFailure(error, shown);
  }
}

function credentialsFor(name: ImageName, registries: LauncherContext['registries']): RegistryCredentials | undefined {
  const registry = registryOf(name);
  const access = registries[registry];
  // Whether plain http is allowed is the engine's own setting; it cannot be told with a pull.
  return access?.username
    ? { username: access.username, password: access.password, serveraddress: registry }
    : undefined;
}

function renderPinned({ registry, repository }: ImageName, digest: string): string {
  return renderImageName({ ...optional('registry', registry), repository, digest });
}

/** The digest under which this very repository has the image; the same image may have others elsewhere. */
function digestIn(image: Inspected, name: ImageName): string | undefined {
  const names = (image.RepoDigests ?? []).flatMap(parseQuietly);
  return names.find((candidate) => isSameRepository(candidate, name))?.digest;
}

/** Engines write "<none>@sha256:…" for an image that lost its repository. */
function parseQuietly(text: string): readonly ImageName[] {
  const digest = text.slice(text.indexOf('@') + 1);
  return text.startsWith('<none>') || !isDigest(digest) ? [] : [parseImageName(text)];
}

function notHere(reference: string): LauncherError {
  const help = 'build or load it there, or let the launcher pull';
  return new LauncherError(
    'image.not_found',
    `Image "${reference}" is not on the engine: the pull policy is "never"; ${help}`,
  );
}
