/** What `abaco up` says of a data directory that it cannot use, before anything is started. */

import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeDurableDirectory } from '../../../src/lib/durable-file.ts';
import { makeDataDirectory } from '../../../src/storage/data-directory.ts';
import { type CliRun, runAbaco } from '../../support/abaco-up.ts';
import { makeTestDirectory, type TestDirectory } from '../../support/test-directory.ts';

describe('a data directory that cannot be used', () => {
  let directory: TestDirectory;
  const up = async (dataDir: string): Promise<CliRun> =>
    await runAbaco(['up', '--data-dir', dataDir, '--port', '0'], {
      env: { ABACO_REDIS_URL: '' },
      onStart: (kill) => void setTimeout(() => kill('SIGKILL'), 20_000).unref(),
    });

  beforeAll(async () => {
    directory = await makeTestDirectory('data');
    await writeFile(join(directory.path, 'file'), '');
    await mkdir(join(directory.path, 'broken/lock.sqlite'), { recursive: true });
  });

  afterAll(async () => await directory[Symbol.asyncDispose]());

  const inTest = (path: string): string => join(directory.path, path);
  it.each([
    ['a file', () => inTest('file'), /cannot be made: EEXIST: /],
    ['below a file', () => inTest('file/data'), /cannot be made: ENOTDIR: /],
    ['where the system lets nobody', () => '/sys/abaco', /cannot be made: E(PERM|ACCES|ROFS): /],
    ['where no directories are, as in /proc', () => '/proc/nope/data', /cannot be made: ENOENT: /],
    ['one whose lock is none', () => inTest('broken'), /cannot be locked: unable to open database file/],
  ])('%s is refused in a sentence', async (_, path, why) => {
    const { exitCode, output, errors } = await up(path());
    expect({ exitCode, output }).toEqual({ exitCode: 78, output: '' });
    expect(errors).toMatch(why);
    expect(errors.startsWith(`abaco: service.data_dir: Data directory "${path()}" cannot be`)).toBe(true);
    expect(errors).toMatch(/^[^\n]*; give another with --data-dir\n$/);
  });

  it('one that is too long for a socket is refused before it is made', async () => {
    const dataDir = inTest('d'.repeat(100));
    const bytes = Buffer.byteLength(join(dataDir, 'redis/redis.sock'));
    expect(await up(dataDir)).toMatchObject({
      exitCode: 78,
      errors:
        `abaco: service.data_dir: Data directory "${dataDir}" is too long: the path of a socket in it would have ` +
        `${bytes} bytes, and the system takes 107; give a shorter one with --data-dir\n`,
    });
    expect(await readdir(directory.path)).toEqual(['broken', 'file']);
  });
});

describe('a directory', () => {
  it('is made with what leads to it, for its owner alone, and again without a word', async () => {
    await using directory = await makeTestDirectory('data');
    const path = join(directory.path, 'one/two');
    for (let round = 0; round < 50; round += 1) {
      await rm(join(path, '..'), { recursive: true, force: true });
      // Also by several at once.
      await Promise.all(Array.from({ length: 8 }, async () => await makeDataDirectory(path)));
    }
    await makeDataDirectory(path);
    for (const made of [path, join(path, '..')]) expect((await stat(made)).mode & 0o777).toBe(0o700);
  });

  it('of blobs where no directories are is given up at once', async () => {
    await expect(makeDurableDirectory('/proc/nope')).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
