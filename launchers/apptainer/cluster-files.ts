/**
 * What users find of ours where their programs run: images, and the helper. It belongs to the account of the service, and
 * users run it without being able to change it. Where no such account can stand in for them, each has a cache of their
 * own: nothing that one user wrote is ever run as another.
 */

import type { ImageRef, LauncherContext, PreparedImage } from '../../src/launcher/launcher.ts';
import type { Host } from '../host/host.ts';
import { contentName, installFile } from '../host/install-file.ts';
import { createSifStore, type SifStore } from './sif-store.ts';

export interface ClusterFilesOptions extends Pick<LauncherContext, 'nativeDir' | 'registries' | 'log'> {
  readonly places: {
    readonly service: Host;
    readonly directory: string;
    of(owner: string): Host;
    workOf(owner: string): string;
  };
  /** Whether users read what lies in the directory of the account; else each has a cache of their own. */
  readonly isShared: boolean;
  readonly architecture: string;
}

export interface ClusterFiles {
  prepare(image: ImageRef, signal: AbortSignal): Promise<PreparedImage>;
  /** Where the SIF of a prepared image is for a user. */
  pathOf(owner: string, image: Pick<PreparedImage, 'name' | 'digest'>): string;
  /** The directory of the helper, which users can run and not change. */
  nativeDirectory(owner: string): Promise<string>;
}

interface Room {
  readonly host: Host;
  readonly directory: string;
}

export function createClusterFiles(options: ClusterFilesOptions): ClusterFiles {
  const { places, isShared } = options;
  const shared: Room = { host: places.service, directory: places.directory };
  const natives = new Map<string, Promise<string>>();
  const stores = new Map<string, SifStore>();

  const roomOf = (owner: string | undefined): Room =>
    isShared || owner === undefined ? shared : { host: places.of(owner), directory: places.workOf(owner) };

  function storeOf(owner: string | undefined): SifStore {
    const { host, directory } = roomOf(owner);
    const known = stores.get(directory);
    if (known) return known;
    const store = createSifStore({
      host,
      directory: `${directory}/images`,
      registries: options.registries,
      architecture: options.architecture,
      log: options.log,
    });
    stores.set(directory, store);
    return store;
  }

  return {
    prepare: async (image, signal) => await storeOf(undefined).prepare(image, signal),
    pathOf: (owner, { digest }) => storeOf(owner).pathOf(digest),
    async nativeDirectory(owner) {
      const { host, directory } = roomOf(owner);
      const known = natives.get(directory) ?? installNative(host, directory, options.nativeDir);
      natives.set(directory, known);
      known.catch(() => natives.delete(directory));
      return await known;
    },
  };
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
