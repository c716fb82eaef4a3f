/**
 * Whose Redis, whose data directory: both carry the installation's id and the shape of what is stored. They have to agree,
 * or what is labelled as ours would not be.
 */

import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { ConflictError } from '../errors.ts';
import { writeDurably } from '../lib/durable-file.ts';
import { makeDataDirectory } from './data-directory.ts';
import { throwRedisError } from './redis.ts';
import { parseMark, planMark, type StoreMark } from './store-mark.ts';

/** Grows when what is stored in Redis or the data directory changes in a way older versions cannot read. */
export const storeShape = 2;

export interface InstallationOptions {
  readonly redis: Redis;
  /** Key of the mark in Redis. */
  readonly key: string;
  readonly dataDir: string;
  /** Name and version of this program. */
  readonly writtenBy: string;
}

/**
 * Reads the mark from both places, makes it where there is none yet, and refuses where they disagree.
 *
 * A Redis without a mark beside a data directory with one has lost what it knew: it is refused until it is restored. The
 * mark is written to Redis first, so a crash in between leaves the case that heals by itself.
 */
export async function claimInstallation(options: InstallationOptions): Promise<StoreMark> {
  const { redis, key, dataDir, writtenBy } = options;
  const file = join(dataDir, 'installation.json');
  await makeDataDirectory(dataDir);
  const inDirectory = await readDirectoryMark(file);
  const redisName = `Redis (key "${key}")`;
  const inRedis = await redis.get(key).catch(throwRedisError);
  if (inDirectory && inRedis === null) {
    throw new ConflictError(
      'storage.foreign',
      `${redisName} is empty, and data directory "${dataDir}" belongs to installation "${inDirectory.installationId}": ` +
        'restore that Redis, or start with a new data directory',
    );
  }
  const fresh: StoreMark = { installationId: randomBytes(5).toString('hex'), shape: storeShape, writtenBy };
  if (inRedis === null) await redis.setnx(key, JSON.stringify(fresh)).catch(throwRedisError);
  const found = parseMark(JSON.parse((await redis.get(key).catch(throwRedisError)) ?? '{}'), redisName);
  const ours: StoreMark = {
    installationId: inDirectory?.installationId ?? found.installationId,
    shape: storeShape,
    writtenBy,
  };
  if (planMark(found, ours, redisName) === 'write') await redis.set(key, JSON.stringify(ours)).catch(throwRedisError);
  if (planMark(inDirectory, ours, `Data directory "${dataDir}"`) === 'write') {
    // A name of its own: others may start at once, and a crash may have left one.
    const temporary = `${file}.${randomBytes(5).toString('hex')}`;
    await writeDurably(file, Buffer.from(`${JSON.stringify(ours)}\n`), temporary);
  }
  return ours;
}

async function readDirectoryMark(file: string): Promise<StoreMark | undefined> {
  try {
    return parseMark(JSON.parse(await readFile(file, 'utf8')), `Data directory mark "${file}"`);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw thrown;
  }
}

/**
 * Refuses a blob directory that is not the one the other processes of this installation see: a body kept there would be
 * missing here.
 */
export async function claimBlobDirectory(redis: Redis, key: string, dir: string, directoryId: string): Promise<void> {
  await redis.setnx(key, directoryId).catch(throwRedisError);
  const known = await redis.get(key).catch(throwRedisError);
  if (known === directoryId) return;
  throw new ConflictError(
    'storage.foreign',
    `Blob directory "${dir}" is not the one that the other processes of this installation see: ` +
      'mount the same directory on every host and name it in blobs.dir',
  );
}
