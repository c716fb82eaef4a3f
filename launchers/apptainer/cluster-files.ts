/**
 * What users find of ours where their programs run: images, and the helper. It belongs to the account of the service, and
 * users run it without being able to change it, nor see the credentials of the registries it comes from. Images that are
 * files of users are in caches of their own, and so is all where the account runs nothing but its own actors: nothing that
 * one user wrote is ever run as another.
 */

import { QuotaError, UnavailableError, UnknownOutcomeError } from '../../src/errors.ts';
import type { ImageCache } from '../../src/launcher/image-cache.ts';
import type { ImageRef, LauncherContext, PreparedImage } from '../../src/launcher/launcher.ts';
import { type Account, createAccount } from '../host/account.ts';
import type { Host } from '../host/host.ts';
import { contentName, installFile } from '../host/install-file.ts';
import type { Owners } from '../host/owners.ts';
import { createBuildTurns } from './build-turns.ts';
import { createEngineImages } from './engine-images.ts';
import { createImageCache } from './image-cache.ts';
import { checkOutsideCache } from './outside-cache.ts';
import type { RunScript } from './sif-build.ts';
import { createSifStore, type SifStore } from './sif-store.ts';

export interface ClusterPlaces {
  readonly service: Host;
  readonly directory: string;
  /** Whether programs run as the owners of their actors. */
  readonly asOwner: boolean;
  of(owner: string): Host;
  workOf(owner: string): string;
  letGo(owner: string): Promise<void>;
}

export interface ClusterFilesOptions
  extends Pick<LauncherContext, 'nativeDir' | 'registries' | 'tenantRegistries' | 'installationId' | 'log'> {
  readonly places: ClusterPlaces;
  readonly owners: Pick<Owners, 'list'>;
  /** Whether users read what lies in the directory of the account; else each has a cache of their own. */
  readonly isShared: boolean;
  readonly architecture: string;
  readonly program: string;
  /** Socket of the engine whose images can be uploaded; empty is none. */
  readonly engine: string;
  /** Most images that are built at once. */
  readonly builds: number;
  /** Where builds run; on the host itself where nothing is said. */
  readonly runOn?: (host: Host, owner: string | undefined) => RunScript;
}

export interface ClusterFiles {
  prepare(image: ImageRef, signal: AbortSignal, onProgress?: (text: string) => void): Promise<PreparedImage>;
  /** Where the SIF of a prepared image is for a user. */
  pathOf(owner: string, image: Pick<PreparedImage, 'name' | 'digest'>): string;
  /** The directory of the helper, which users can run and not change. */
  nativeDirectory(owner: string): Promise<string>;
  readonly images: ImageCache;
}

interface Room {
  /** Nobody's own where it is shared. */
  readonly owner?: string;
  readonly host: Host;
  readonly directory: string;
}

export function createClusterFiles(options: ClusterFilesOptions): ClusterFiles {
  const { places, isShared, registries, tenantRegistries = {} } = options;
  const shared: Room = { host: places.service, directory: places.directory };
  const accounts = new Map<string, Account>();
  const natives = new Map<string, Promise<string>>();
  const stores = new Map<string, SifStore>();
  const engine = createEngineImages(options.engine);
  const turns = createBuildTurns(options.builds);

  const ownRoom = (owner: string): Room => ({ owner, host: places.of(owner), directory: places.workOf(owner) });

  /** A file of a user is read as that user, and what is made of it stays theirs. */
  function roomFor(image: Pick<ImageRef, 'name'>, owner: string | undefined): Room {
    const isOwn = !isShared || isFile(image);
    return isOwn && owner !== undefined ? ownRoom(owner) : shared;
  }

  /** Nothing is read for an owner whose account there is another's. */
  async function checkAccount({ owner, host }: Room, user: string | undefined): Promise<void> {
    if (owner === undefined || !places.asOwner) return;
    const account = accounts.get(owner) ?? createAccount(owner, host);
    accounts.set(owner, account);
    await account.check(user);
  }

  function storeIn({ owner, host, directory }: Room): SifStore {
    const known = stores.get(directory);
    if (known) return known;
    const store = createSifStore({
      host,
      directory: `${directory}/images`,
      // Users run what lies in the shared one by its full path; which images there are is not theirs to see.
      mode: owner === undefined ? 0o711 : 0o700,
      installationId: options.installationId,
      architecture: options.architecture,
      program: options.program,
      run: (options.runOn ?? runHere)(host, owner),
      turns,
      engine,
      accessOf: (tenant, registry) =>
        (tenant === undefined ? undefined : tenantRegistries[tenant]?.[registry]) ?? registries[registry],
      log: options.log,
    });
    stores.set(directory, store);
    return store;
  }

  return {
    async prepare(image, signal, onProgress) {
      const room = roomFor(image, image.owner);
      await checkAccount(room, image.user);
      if (isFile(image)) await checkOutsideCache(room.host, image.name, `${places.directory}/images`, signal);
      return await storeIn(room)
        .prepare(image, signal, onProgress)
        .catch((thrown: unknown) => {
          throw room.owner === undefined && thrown instanceof QuotaError ? ofTheSite(image, thrown) : thrown;
        });
    },
    pathOf: (owner, image) => storeIn(roomFor(image, owner)).pathOf(image.digest),
    async nativeDirectory(owner) {
      const { host, directory } = isShared ? shared : ownRoom(owner);
      const known = natives.get(directory) ?? installNative(host, directory, options.nativeDir);
      natives.set(directory, known);
      known.catch(() => natives.delete(directory));
      return await known;
    },
    images: createImageCache({
      installationId: options.installationId,
      owners: options.owners,
      shared: storeIn(shared),
      storeOf: (owner) => storeIn(ownRoom(owner)),
      letGo: async (owner) => await places.letGo(owner),
      log: options.log,
      async digestsInRuns(owner) {
        const { host, directory } = ownRoom(owner);
        const runs = (await host.list(`${directory}/run`)) ?? [];
        const parts = await host.readMany(
          runs.map((run) => ({ path: `${directory}/run/${run}/image`, offset: 0, length: 200 })),
        );
        return parts.map((part) => Buffer.from(part?.bytes ?? []).toString());
      },
    }),
  };
}

/** No user can make room where the images of all are. */
function ofTheSite({ name }: Pick<ImageRef, 'name'>, full: QuotaError): UnavailableError {
  const message = `Image "${name}" cannot be had: ${full.message}`;
  return new UnavailableError('launcher.unavailable', message, {
    cause: full,
    next: 'It is tried again by itself; an operator makes room there',
  });
}

function isFile({ name }: Pick<ImageRef, 'name'>): boolean {
  return name.startsWith('/');
}

const longestBuildMs = 2 * 3_600_000;

/** As a command of the host. */
function runHere(host: Host): RunScript {
  return async (script, signal) =>
    await host.run(
      {
        argv: ['/bin/sh', script],
        timeoutMs: longestBuildMs,
        parse({ exitCode, signal: killedBy }) {
          if (exitCode !== null) return exitCode;
          throw new UnknownOutcomeError('host.unknown_outcome', `it was ended by ${killedBy ?? 'a signal'}`);
        },
      },
      signal,
    );
}

/** Under a name made of its content, so that a newer one does not change what runs. */
async function installNative(host: Host, directory: string, nativeDir: string): Promise<string> {
  const local = `${nativeDir}/abaco-start`;
  const target = `${directory}/native-${await contentName(local)}`;
  await host.makeDirectory(target, 0o755);
  // Two names of one program.
  for (const file of ['abaco-start', 'result']) await installFile(host, `${target}/${file}`, local, 0o755);
  return target;
}
