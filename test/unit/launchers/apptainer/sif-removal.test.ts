import { mkdir, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { leftoversOf, removeImage, removeLeftovers } from '../../../../launchers/apptainer/sif-removal.ts';
import { createLocalHost } from '../../../../launchers/host/local-host.ts';
import { makeTestDirectory } from '../../../support/test-directory.ts';

const digest = `sha256:${'a'.repeat(64)}`;
const image = digest.replace(':', '-');
const [one, other] = [`${image}.${'1'.repeat(32)}`, `${image}.${'2'.repeat(32)}`];
const kept = ['.json', '.sif', '.uses'].map((end) => image + end);

describe('what dead builders have left', () => {
  const files = (base: string) => ['.lock', '.beat', '.beat.0123456789ab', '.building-x'].map((end) => base + end);
  const names = [...kept, `${one}.log`, `${one}.failed`, `${image}.lock`, ...files(one), ...files(other)];

  it('is all of a build that is old, and nothing of an image', () => {
    expect(leftoversOf(names, new Set(names), undefined)).toEqual([`${image}.lock`, ...files(one), ...files(other)]);
  });

  it('is nothing of a build that one file of is not old', () => {
    const old = new Set(names.filter((name) => name !== `${one}.beat` && name !== `${image}.lock`));
    expect(leftoversOf(names, old, undefined)).toEqual(files(other));
  });

  it('is of our own build what is neither its lock nor what it says', () => {
    expect(leftoversOf(names, new Set(), one)).toEqual([`${one}.beat.0123456789ab`, `${one}.building-x`]);
  });
});

describe('an image of a cache', () => {
  async function start() {
    const directory = await makeTestDirectory('sif-removal');
    const host = createLocalHost({ scratchRoots: [directory.path] });
    for (const name of [`${image}.json`, `${image}.sif`, `${one}.log`, `${other}.failed`, `${other}.beat`])
      await writeFile(join(directory.path, name), '');
    return { host, directory, list: async () => await host.list(directory.path) };
  }

  it('is taken away with all that is kept of it', async () => {
    const { host, directory, list } = await start();
    await using _ = directory;
    expect(await removeImage(host, directory.path, digest)).toBe(true);
    expect(await list()).toEqual([]);
  });

  it.each([image, one, other])('stays while %s is locked', async (base) => {
    const { host, directory, list } = await start();
    await using _ = directory;
    await symlink('holder', join(directory.path, `${base}.lock`));
    const before = await list();
    expect(await removeImage(host, directory.path, digest)).toBe(false);
    expect(await list()).toEqual(before);
  });

  it('is not kept by a builder that died an hour ago, whoever it was', async () => {
    const { host, directory, list } = await start();
    await using _ = directory;
    const work = join(directory.path, `${other}.building-x`);
    await mkdir(work);
    await removeLeftovers(host, directory.path);
    expect(await list()).toContain(`${other}.building-x`);
    const hoursAgo = new Date(Date.now() - 2 * 3_600_000);
    for (const path of [work, join(directory.path, `${other}.beat`)]) await utimes(path, hoursAgo, hoursAgo);
    await removeLeftovers(host, directory.path);
    expect(await list()).toEqual([`${image}.json`, `${image}.sif`, `${one}.log`, `${other}.failed`].toSorted());
  });
});
