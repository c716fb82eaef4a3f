/** Puts a file of ours on a host that does not have it yet. */

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { NotFoundError } from '../../src/errors.ts';
import type { Host } from './host.ts';

const hashes = new Map<string, Promise<string>>();

/** Checked by hash before it is used, whoever could have changed it. */
export async function installFile(host: Host, path: string, local: string, mode: number): Promise<void> {
  const there = await host.hash(path).catch((thrown: unknown) => {
    if (thrown instanceof NotFoundError) return undefined;
    throw thrown;
  });
  if (there === (await hashOf(local))) return;
  await host.put(path, contentOf(local), { mode });
}

/** Opened when somebody reads it: a stream that nobody comes to read would stay open, and break with nobody to hear it. */
async function* contentOf(local: string): AsyncGenerator<Uint8Array> {
  yield* createReadStream(local, { highWaterMark: 1024 * 1024 });
}

/** Of a file of ours, which does not change while we run. */
export async function hashOf(path: string): Promise<string> {
  const known = hashes.get(path);
  if (known) return await known;
  const sha256 = createHash('sha256');
  const hashing = pipeline(createReadStream(path), sha256).then(() => sha256.digest('hex'));
  hashes.set(path, hashing);
  hashing.catch(() => hashes.delete(path));
  return await hashing;
}

/** Part of a name that is made of the content of the file. */
export async function contentName(path: string): Promise<string> {
  return (await hashOf(path)).slice(0, 16);
}
