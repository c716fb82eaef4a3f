import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { claimBlobDirectory, claimInstallation, storeShape } from '../../../src/storage/installation.ts';
import { openRedis } from '../../../src/storage/redis.ts';
import type { StoreMark } from '../../../src/storage/store-mark.ts';
import { programAvailable } from '../../support/program.ts';
import { startRedis, type TestRedis } from '../../support/redis-server.ts';
import { requireService } from '../../support/services.ts';
import { makeTestDirectory, type TestDirectory } from '../../support/test-directory.ts';

const key = 'test:installation';

describe.runIf(requireService('redis', await programAvailable('redis-server')))('an installation', () => {
  let server: TestRedis;
  let redis: Redis;
  let directory: TestDirectory;

  beforeAll(async () => {
    server = await startRedis({ appendfsync: 'off' });
    redis = await openRedis({ url: server.url, onError: () => undefined });
    directory = await makeTestDirectory('installation');
  });

  afterAll(async () => {
    redis.disconnect();
    await server[Symbol.asyncDispose]();
    await directory[Symbol.asyncDispose]();
  });

  beforeEach(async () => {
    await redis.flushall();
  });

  let made = 0;
  const newDirectory = (): string => join(directory.path, String((made += 1)));
  const claim = (dataDir: string, writtenBy = 'abaco-hpc 1.0.0'): Promise<StoreMark> =>
    claimInstallation({ redis, key, dataDir, writtenBy });
  const inRedis = async (): Promise<StoreMark> => JSON.parse((await redis.get(key)) ?? '{}') as StoreMark;
  const inDirectory = async (dataDir: string): Promise<StoreMark> =>
    JSON.parse(await readFile(join(dataDir, 'installation.json'), 'utf8')) as StoreMark;

  it('has the same mark in its Redis and its data directory, from the first start on', async () => {
    const dataDir = newDirectory();
    const mark = await claim(dataDir);
    expect(mark).toEqual({
      installationId: expect.stringMatching(/^[0-9a-f]{10}$/),
      shape: storeShape,
      writtenBy: 'abaco-hpc 1.0.0',
    });
    expect([await inRedis(), await inDirectory(dataDir)]).toEqual([mark, mark]);
    expect(await claim(dataDir)).toEqual(mark);
  });

  it('is one, however many of its processes start at once', async () => {
    const marks = await Promise.all(Array.from({ length: 8 }, () => claim(newDirectory())));
    expect(new Set(marks.map((mark) => mark.installationId)).size).toBe(1);
  });

  it('is one, however many of its processes start at once beside the same data directory', async () => {
    const dataDir = newDirectory();
    const marks = await Promise.all(Array.from({ length: 8 }, () => claim(dataDir)));
    expect(new Set(marks.map((mark) => mark.installationId)).size).toBe(1);
    expect(await inDirectory(dataDir)).toEqual(marks[0]);
  });

  it('starts after a crash that left its mark in Redis and half a file in its data directory', async () => {
    const dataDir = newDirectory();
    const { installationId } = await claim(dataDir);
    await rename(join(dataDir, 'installation.json'), join(dataDir, 'installation.json.tmp'));
    expect(await claim(dataDir)).toMatchObject({ installationId });
    expect(await inDirectory(dataDir)).toMatchObject({ installationId });
  });

  it('keeps its id when a newer version takes it over, and says that one from then on', async () => {
    const dataDir = newDirectory();
    const { installationId } = await claim(dataDir);
    expect(await claim(dataDir, 'abaco-hpc 1.1.0')).toMatchObject({ installationId });
    expect(await inRedis()).toMatchObject({ installationId, writtenBy: 'abaco-hpc 1.1.0' });
    expect(await inDirectory(dataDir)).toMatchObject({ installationId, writtenBy: 'abaco-hpc 1.1.0' });
  });

  it('refuses the Redis of another, and says whose it is', async () => {
    const dataDir = newDirectory();
    const { installationId } = await claim(dataDir);
    await redis.flushall();
    const other = await claim(newDirectory(), 'abaco-hpc 0.9.0');
    await expect(claim(dataDir)).rejects.toThrow(
      `Redis (key "${key}") belongs to installation "${other.installationId}" (written by abaco-hpc 0.9.0), ` +
        `and this is installation "${installationId}"`,
    );
    expect(await inRedis()).toEqual(other);
  });

  it('refuses a Redis that has lost what it knew', async () => {
    const dataDir = newDirectory();
    await claim(dataDir);
    await redis.flushall();
    await expect(claim(dataDir)).rejects.toThrow(/is empty, and data directory .* restore that Redis/);
    expect(await redis.exists(key)).toBe(0);
  });

  it.each(['Redis', 'the data directory'])('refuses what a newer version left in %s, and says which', async (where) => {
    const dataDir = newDirectory();
    const mark = await claim(dataDir);
    const newer = JSON.stringify({ ...mark, shape: storeShape + 1, writtenBy: 'abaco-hpc 9.0.0' });
    if (where === 'Redis') await redis.set(key, newer);
    else await writeFile(join(dataDir, 'installation.json'), newer);
    await expect(claim(dataDir)).rejects.toThrow(
      /was written by abaco-hpc 9.0.0 in shape 3, .* start abaco-hpc 9.0.0 or a newer version/,
    );
  });

  it('refuses a mark that is none', async () => {
    await redis.set(key, '{"installation":"x"}');
    await expect(claim(newDirectory())).rejects.toThrow(/holds a mark that none of our versions wrote/);
  });

  it('refuses a blob directory that its other processes do not see', async () => {
    await claimBlobDirectory(redis, 'test:blobs', '/blobs', 'one');
    await claimBlobDirectory(redis, 'test:blobs', '/blobs', 'one');
    await expect(claimBlobDirectory(redis, 'test:blobs', '/other', 'two')).rejects.toThrow(
      /Blob directory "\/other" is not the one .* mount the same directory on every host/,
    );
  });
});
