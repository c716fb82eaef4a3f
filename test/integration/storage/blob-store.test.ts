import { mkdir, readdir, readFile, symlink, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { blobPath } from '../../../src/storage/blob-name.ts';
import { type BlobStore, createBlobStore } from '../../../src/storage/blob-store.ts';
import { makeTestDirectory, type TestDirectory } from '../../support/test-directory.ts';

const mark = { installationId: 'here', shape: 1, writtenBy: 'abaco 0.1.0' };

describe('the blob store', () => {
  let directory: TestDirectory;
  let dir: string;
  let blobs: BlobStore;

  beforeEach(async () => {
    directory = await makeTestDirectory('blobs');
    dir = join(directory.path, 'deep', 'blobs');
    blobs = createBlobStore({ dir });
  });
  afterEach(() => directory[Symbol.asyncDispose]());

  async function read(name: string, offset?: number): Promise<Buffer> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of blobs.open(name, offset)) chunks.push(chunk);
    return Buffer.concat(chunks);
  }

  /** Every file below the directory, but for what says whose it is. */
  async function files(): Promise<string[]> {
    const entries = await readdir(dir, { recursive: true, withFileTypes: true });
    return entries.filter((entry) => entry.isFile() && entry.name !== 'installation').map(({ name }) => name);
  }

  describe('a blob', () => {
    it('comes back byte by byte, under a random name', async () => {
      const content = Uint8Array.from({ length: 300_000 }, (_, n) => n % 251);
      const { blob, bytes } = await blobs.put(content);
      expect(blob).toMatch(/^[0-9a-f]{32}$/);
      expect(bytes).toBe(300_000);
      expect(await blobs.size(blob)).toBe(300_000);
      expect((await read(blob)).equals(content)).toBe(true);
    });

    it('is the chunks of a stream in their order', async () => {
      const chunks = Readable.from(['one ', '', 'two'].map((text) => Buffer.from(text)));
      expect(await blobs.put(chunks, 'given.name_1-x')).toEqual({ blob: 'given.name_1-x', bytes: 7 });
      expect(String(await read('given.name_1-x'))).toBe('one two');
    });

    it('is read from an offset on, and empty at its end', async () => {
      await blobs.put(Buffer.from('0123456789'), 'b');
      expect(String(await read('b', 7))).toBe('789');
      expect(String(await read('b', 10))).toBe('');
      expect(String(await read('b', 99))).toBe('');
    });

    it('may be left in the middle by its reader', async () => {
      await blobs.put(new Uint8Array(1_000_000), 'b');
      for await (const chunk of blobs.open('b')) {
        expect(chunk.byteLength).toBeGreaterThan(0);
        break;
      }
    });

    it('gets the new content when it is put again', async () => {
      await blobs.put(Buffer.from('a longer text'), 'b');
      await blobs.put(Buffer.from('short'), 'b');
      expect(String(await read('b'))).toBe('short');
    });

    it('is gone once removed; removing again is a no-op', async () => {
      await blobs.put(Buffer.from('x'), 'b');
      await blobs.remove('b');
      await blobs.remove('b');
      expect(await blobs.size('b')).toBeUndefined();
      await expect(read('b')).rejects.toMatchObject({ code: 'blob.unavailable' });
    });

    it('is not there at all when its sender fails, whose error stays itself', async () => {
      const hungUp = Object.assign(new Error('aborted'), { code: 'ECONNRESET' });
      async function* broken() {
        yield Buffer.from('half');
        throw hungUp;
      }
      await expect(blobs.put(broken(), 'b')).rejects.toBe(hungUp);
      expect(await files()).toEqual([]);
    });

    it.each(['../escape', 'a/b', '', '..', 'a\0b'])('cannot be called %j', async (name) => {
      const refused = { code: 'request.invalid' };
      await expect(blobs.put(Buffer.from('x'), name)).rejects.toMatchObject(refused);
      await expect(blobs.openLog(name)).rejects.toMatchObject(refused);
      await expect(blobs.remove(name)).rejects.toMatchObject(refused);
      await expect(blobs.size(name)).rejects.toMatchObject(refused);
      await expect(read(name)).rejects.toMatchObject(refused);
    });
  });

  describe('a live log', () => {
    it('shows its readers what was appended at once', async () => {
      const log = await blobs.openLog('log');
      await log.append(Buffer.from('one\n'));
      expect(String(await read('log'))).toBe('one\n');
      await log.append(Buffer.from('two\n'));
      expect(log.size).toBe(8);
      expect(String(await read('log', 4))).toBe('two\n');
      await log.close();
      await log.close();
    });

    it('goes on where it was when it is opened again', async () => {
      const first = await blobs.openLog('log');
      await first.append(Buffer.from('one\n'));
      await first.close();
      const again = await blobs.openLog('log');
      expect(again.size).toBe(4);
      await again.append(Buffer.from('two\n'));
      await again.close();
      expect(String(await read('log'))).toBe('one\ntwo\n');
    });

    it('is the same from two writers that copy the same bytes', async () => {
      const [lost, adopted] = await Promise.all([blobs.openLog('log'), blobs.openLog('log')]);
      await lost.append(Buffer.from('one\n'));
      await adopted.append(Buffer.from('one\ntwo\n'));
      await lost.append(Buffer.from('two\n'));
      await Promise.all([lost.close(), adopted.close()]);
      expect(String(await read('log'))).toBe('one\ntwo\n');
    });
  });

  describe('trouble with the directory', () => {
    it('names a full disk, and leaves the log where it was', async () => {
      await mkdir(dirname(blobPath(dir, 'log')), { recursive: true });
      await symlink('/dev/full', blobPath(dir, 'log'));
      const log = await blobs.openLog('log');
      await expect(log.append(Buffer.from('x'))).rejects.toMatchObject({
        code: 'blob.unavailable',
        retryable: true,
        message: `Blob directory "${dir}" is full: blob "log" could not be written (ENOSPC); free some space there`,
      });
      expect(log.size).toBe(0);
      await log.close().catch(() => undefined);
    });

    it('is told where the directory cannot be', async () => {
      await writeFile(join(directory.path, 'deep'), 'a file');
      await expect(blobs.put(Buffer.from('x'), 'b')).rejects.toMatchObject({
        code: 'blob.unavailable',
        message: expect.stringMatching(/^Blob "b" in directory ".*" cannot be used: ENOTDIR/),
      });
      await expect(blobs.check(mark)).rejects.toMatchObject({ code: 'blob.unavailable' });
    });
  });

  describe('the check at the start', () => {
    it('gives every process the same id of the directory, also when they start at once', async () => {
      const ids = await Promise.all(Array.from({ length: 8 }, () => createBlobStore({ dir }).check(mark)));
      expect(new Set(ids).size).toBe(1);
      expect(await blobs.check(mark)).toBe(ids[0]);
      expect(await files()).toEqual([]);
    });

    it('gives another id in another directory', async () => {
      const other = createBlobStore({ dir: join(directory.path, 'other') });
      expect(await other.check(mark)).not.toBe(await blobs.check(mark));
    });

    it('refuses the directory of another installation and of a newer version', async () => {
      await blobs.check(mark);
      await expect(blobs.check({ ...mark, installationId: 'elsewhere' })).rejects.toMatchObject({
        code: 'storage.foreign',
        message: expect.stringMatching(
          /^Blob directory ".*" belongs to installation "here" \(written by abaco 0\.1\.0\)/,
        ),
      });
      const id = await blobs.check({ ...mark, shape: 2, writtenBy: 'abaco 0.2.0' });
      await expect(blobs.check(mark)).rejects.toMatchObject({ code: 'storage.foreign' });
      expect(JSON.parse(await readFile(join(dir, 'installation'), 'utf8'))).toMatchObject({
        shape: 2,
        directoryId: id,
      });
    });

    it('refuses a file of that name that is none of ours', async () => {
      await mkdir(dir, { recursive: true });
      await writeFile(join(dir, 'installation'), 'something else');
      await expect(blobs.check(mark)).rejects.toMatchObject({ code: 'storage.foreign' });
    });

    it('removes what a crash left half-written, and neither what is being written nor what is not ours', async () => {
      await blobs.check(mark);
      const [old, recent, notOurs] = ['0'.repeat(32), '1'.repeat(32), 'notes.txt'];
      for (const name of [old, recent, notOurs]) await writeFile(join(dir, 'unfinished', name), 'x');
      await utimes(join(dir, 'unfinished', old), 0, 0);
      await utimes(join(dir, 'unfinished', notOurs), 0, 0);
      await blobs.check(mark);
      expect((await files()).sort()).toEqual([recent, notOurs]);
    });
  });
});
