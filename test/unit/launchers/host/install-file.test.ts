/** What becomes of a file of ours that a host does not come to read. */

import { readdirSync, readlinkSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { FileContent, Host } from '../../../../launchers/host/host.ts';
import { hashOf, installFile } from '../../../../launchers/host/install-file.ts';
import { makeTestDirectory } from '../../../support/test-directory.ts';

const missing = (put: (content: FileContent) => Promise<void>): Host =>
  ({
    hash: async () => 'another',
    put: async (_path: string, content: FileContent) => await put(content),
  }) as Partial<Host> as Host;

it('is not opened for a host that refuses it', async () => {
  await using directory = await makeTestDirectory('install-file');
  const local = join(directory.path, 'program');
  await writeFile(local, 'a program');
  const full = missing(async () => {
    // As long as opening it takes.
    await readFile(local);
    throw new Error('the disk is full');
  });
  for (let count = 0; count < 5; count += 1) await installFile(full, '/program', local, 0o755).catch(() => undefined);
  const open = readdirSync('/proc/self/fd').map((fd) => readlinkOf(`/proc/self/fd/${fd}`));
  expect(open.filter((path) => path === local)).toEqual([]);
});

/** Empty for one that has just been closed. */
function readlinkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

it('and that has gone meanwhile is an error of the call, and of nobody else', async () => {
  await using directory = await makeTestDirectory('install-file');
  const local = join(directory.path, 'program');
  await writeFile(local, 'a program');
  await hashOf(local);
  await rm(local);
  const slow = missing(async (content) => {
    // Long enough for a stream that was opened at once to fail.
    await new Promise((resolve) => setImmediate(resolve));
    await hashOf(import.meta.filename);
    await Array.fromAsync(content as AsyncIterable<Uint8Array>);
  });
  await expect(installFile(slow, '/program', local, 0o755)).rejects.toThrow('ENOENT');
});
