/** What becomes of an image where its cache has trouble that passes. */

import { copyFile, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { failureOfBuild } from '../../../../launchers/apptainer/build-failure.ts';
import { createBuildTurns } from '../../../../launchers/apptainer/build-turns.ts';
import { createEngineImages } from '../../../../launchers/apptainer/engine-images.ts';
import { createSifStore } from '../../../../launchers/apptainer/sif-store.ts';
import type { Host } from '../../../../launchers/host/host.ts';
import { createLocalHost } from '../../../../launchers/host/local-host.ts';
import { QuotaError, UnavailableError, UnknownOutcomeError } from '../../../../src/errors.ts';
import { renderSif } from '../../../support/render-sif.ts';
import { silentLog } from '../../../support/silent-log.ts';
import { makeTestDirectory } from '../../../support/test-directory.ts';

const signal = new AbortController().signal;
const argv = ['/bin/sh', '-c', 'true'];

/** A cache on this machine, of images that are files. @param broken - what fails there. @param fail - ends its builds. */
async function start(broken: (host: Host) => Partial<Host>, fail?: (work: string) => Promise<number>) {
  const directory = await makeTestDirectory('sif-store');
  const sound = createLocalHost({ scratchRoots: [directory.path] });
  const host: Host = { ...sound, ...broken(sound) };
  const path = join(directory.path, 'a.sif');
  await writeFile(path, renderSif({ 'oci-config.json': { Entrypoint: argv } }));
  const warned: string[] = [];
  const store = createSifStore({
    host,
    directory: join(directory.path, 'images'),
    mode: 0o711,
    installationId: 'here',
    architecture: 'amd64',
    program: 'apptainer',
    engine: createEngineImages(''),
    turns: createBuildTurns(1),
    accessOf: () => undefined,
    run: async (script) => {
      if (fail) return await fail(dirname(script));
      await copyFile(path, join(dirname(script), 'image.sif'));
      return 0;
    },
    log: { ...silentLog, warn: (_, text) => void warned.push(text) },
  });
  return { directory, store, name: path, warned };
}

/** Fails where a path is of this kind. */
const failing =
  (method: 'put' | 'makeDirectory', part: string, error: Error) =>
  (host: Host): Partial<Host> => ({
    [method]: async (path: string, ...rest: unknown[]) => {
      if (path.includes(part)) throw error;
      await (host[method] as (...all: unknown[]) => Promise<void>)(path, ...rest);
    },
  });

const full = new QuotaError('host.disk_full', 'the disk is full');

describe('an image of the cache', () => {
  it.each([
    full,
    new UnavailableError('host.unavailable', 'away'),
    new UnknownOutcomeError('host.unknown_outcome', 'cut off'),
  ])('is given where its use cannot be noted for now: $code', async (error) => {
    const { directory, store, name, warned } = await start(failing('put', '.uses/', error));
    await using _ = directory;
    const built = await store.prepare({ name }, signal);
    expect(built.argv).toEqual(argv);
    expect(await store.prepare({ name, digest: built.digest }, signal)).toEqual(built);
    expect(warned).toContain('use of an image not noted; the next one is');
  });

  it('keeps what was noted last, where a later use cannot be', async () => {
    const broken = { isFull: false };
    const { directory, store, name } = await start((host) => ({
      put: async (path, content, options) => {
        if (broken.isFull && path.includes('.uses/')) throw full;
        await host.put(path, content, options);
      },
    }));
    await using _ = directory;
    const { digest } = await store.prepare({ name }, signal);
    const noted = await store.uses.list(digest);
    broken.isFull = true;
    await store.uses.note(digest, { name }, true);
    expect(await store.uses.list(digest)).toEqual(noted);
    expect(noted).toHaveLength(1);
  });

  it('waits where the directory of its build cannot be made for now', async () => {
    const { directory, store, name } = await start(failing('makeDirectory', '.building-', full));
    await using _ = directory;
    await expect(store.prepare({ name }, signal)).rejects.toThrow(UnavailableError);
    await expect(store.prepare({ name }, signal)).rejects.toThrow(/did not come to its end; it is tried again/);
  });

  it.each(['', '{"name":"a', '{}'])('is built again where its record is %j, and is listed once it is', async (torn) => {
    const { directory, store, name } = await start(() => ({}));
    await using _ = directory;
    const { digest } = await store.prepare({ name }, signal);
    await writeFile(`${store.baseOf(digest)}.json`, torn);
    expect(await store.records()).toEqual([]);
    expect(await store.prepare({ name, digest }, signal)).toEqual({ name, digest, argv });
    expect(await store.records()).toMatchObject([{ digest, name }]);
  });

  it('is waited for on where what was noted of the failure of its build is no note', async () => {
    const { directory } = await start(() => ({}));
    await using _ = directory;
    const base = join(directory.path, 'sha256-0');
    await writeFile(`${base}.failed`, '{"token":"a');
    const host = createLocalHost({ scratchRoots: [directory.path] });
    expect(await failureOfBuild(host, base, 'a')).toBeUndefined();
  });

  it('is not taken for bad where its builder was taken for dead, and what it built with was removed', async () => {
    const { directory, store, name } = await start(
      () => ({}),
      async (work) => {
        const lock = work.replace(/\.building-.*$/, '.lock');
        await rm(lock);
        await symlink('another', lock);
        await rm(work, { recursive: true });
        return 255;
      },
    );
    await using _ = directory;
    await expect(store.prepare({ name }, signal)).rejects.toMatchObject({
      code: 'launcher.unavailable',
      message: expect.stringMatching(/ is built by another$/),
    });
  });

  it('is bad where its build fails', async () => {
    const { directory, store, name } = await start(
      () => ({}),
      async () => 255,
    );
    await using _ = directory;
    await expect(store.prepare({ name }, signal)).rejects.toMatchObject({ code: 'image.invalid' });
  });
});
