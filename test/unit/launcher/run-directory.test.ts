import { chmod, mkdir, readFile, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LaunchSpec } from '../../../src/launcher/launcher.ts';
import { createRunDirectories, type RunDirectories } from '../../../src/launcher/run-directory.ts';
import { readOutput, readText } from '../../support/follow-attempt.ts';
import { makeTestDirectory, type TestDirectory } from '../../support/test-directory.ts';

const ref = { executionId: 'e1', attempt: 1 };
const limits = { logBytes: 100, resultTotalBytes: 100, resultCount: 10 };

function specWith(changes: Partial<LaunchSpec> = {}): LaunchSpec {
  const image = { name: 'x', digest: 'sha256:0', argv: ['x'] };
  const usual = {
    tenant: 't',
    actorId: 'a',
    image,
    environment: {},
    privileged: false,
    mounts: [],
    limits: { ...limits, graceMs: 1, resultBytes: 1 },
    notAfter: new Date(),
  };
  return { ...ref, ...usual, ...changes };
}

async function* chunksOf(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}

describe('the run directory', () => {
  let directory: TestDirectory;
  let runs: RunDirectories;

  beforeEach(async () => {
    directory = await makeTestDirectory('runs');
    runs = createRunDirectories({ dir: join(directory.path, 'run') });
  });
  afterEach(() => directory[Symbol.asyncDispose]());

  it('is open to the user of the container and closed to everybody else on the host', async () => {
    const path = await runs.create(specWith());
    expect((await stat(path)).mode & 0o777).toBe(0o777);
    expect((await stat(join(path, '..'))).mode & 0o777).toBe(0o700);
  });

  it('holds the environment, each variable ended by NUL', async () => {
    const path = await runs.create(specWith({ environment: { 'A-B': 'two\nlines', EMPTY: '', U: 'ü=x' } }));
    expect(await readFile(join(path, 'env'), 'utf8')).toBe('A-B=two\nlines\0EMPTY=\0U=ü=x\0');
  });

  it('holds the binary message, which nobody can write', async () => {
    const path = await runs.create(specWith({ binaryMessage: { bytes: 4, open: () => chunksOf('ab', 'cd') } }));
    expect(await readFile(join(path, 'binary'), 'utf8')).toBe('abcd');
    expect((await stat(join(path, 'binary'))).mode & 0o777).toBe(0o444);
  });

  it('is kept as it is when it is made again', async () => {
    await runs.create(specWith({ environment: { A: 'first' } }));
    const path = await runs.create(specWith({ environment: { A: 'second' } }));
    expect(await readFile(join(path, 'env'), 'utf8')).toBe('A=first\0');
  });

  it('is made whole when the first who made it did not come to the end', async () => {
    const broken = () =>
      (async function* () {
        yield Buffer.from('half');
        throw new Error('the blob went away');
      })();
    await expect(runs.create(specWith({ binaryMessage: { bytes: 8, open: broken } }))).rejects.toThrow(
      'the blob went away',
    );
    const path = await runs.create(specWith({ binaryMessage: { bytes: 4, open: () => chunksOf('all') } }));
    expect(await readFile(join(path, 'binary'), 'utf8')).toBe('all');
  });

  it('that cannot be made because its place is taken by a link is no directory of ours', async () => {
    await runs.create(specWith());
    await runs.remove(ref);
    await symlink(directory.path, runs.pathOf(ref));
    await expect(runs.create(specWith())).rejects.toMatchObject({ code: expect.stringMatching(/ELOOP|ENOTDIR/) });
  });

  it('gives log and results from any place', async () => {
    const path = await runs.create(specWith());
    await writeFile(join(path, 'log'), '0123456789');
    await writeFile(
      join(path, 'results'),
      Buffer.from([0, 0, 0, 1, 97, 255, 255, 255, 255, 0, 0, 1, 0, 0, 0, 0, 2, 98, 99, 0, 0]),
    );
    const output = await runs.output(ref, limits);
    expect(output.logBytes).toBe(10);
    expect(await readText(output.readLog(7))).toBe('789');
    expect(await readText(output.readLog(10))).toBe('');
    expect(await readText(output.readResults(1))).toBe('bc');
  });

  it('gives no more of log and results than the limits, however long its program made them', async () => {
    const path = await runs.create(specWith());
    await writeFile(join(path, 'log'), '0123456789');
    await writeFile(join(path, 'results'), Buffer.from([0, 0, 0, 1, 97]));
    await truncate(join(path, 'log'), 1e12);
    await truncate(join(path, 'results'), 1e12);
    const output = await runs.output(ref, limits);
    expect(output.logBytes).toBe(100);
    expect(await readText(output.readLog(0))).toBe('0123456789'.padEnd(100, '\0'));
    expect(await readText(output.readResults(0))).toBe('a');
  });

  it('gives no more results than there may be, and none behind as many bytes as there may be', async () => {
    const path = await runs.create(specWith());
    await writeFile(join(path, 'results'), Buffer.concat(Array<Buffer>(50).fill(Buffer.from([0, 0, 0, 1, 97]))));
    const read = async (changes: Partial<typeof limits>) =>
      await readText((await runs.output(ref, { ...limits, ...changes })).readResults(1));
    expect(await read({})).toBe('a'.repeat(9));
    expect(await read({ resultTotalBytes: 24 })).toBe('aaa');
  });

  it('gives nothing of links, pipes and directories that took the place of its files', async () => {
    const path = await runs.create(specWith());
    const secret = join(directory.path, 'secret');
    await writeFile(secret, 'of the host');
    await symlink(secret, join(path, 'log'));
    await mkdir(join(path, 'results'));
    const output = { ...(await runs.output(ref, limits)), logTruncated: false, droppedResults: 0 };
    expect(await readOutput(output)).toMatchObject({ log: '', results: [] });
  });

  it('gives nothing once it is gone, and going twice is fine', async () => {
    const path = await runs.create(specWith());
    await mkdir(join(path, 'of-the-program'));
    await chmod(join(path, 'of-the-program'), 0o755);
    expect(await runs.list()).toEqual([ref]);
    await runs.remove(ref);
    await runs.remove(ref);
    expect(await runs.list()).toEqual([]);
    expect(await runs.output(ref, limits)).toMatchObject({ logBytes: 0 });
  });

  it('is counted only under the name of an attempt', async () => {
    await mkdir(join(directory.path, 'run', 'lost+found'), { recursive: true });
    expect(await runs.list()).toEqual([]);
    await rm(join(directory.path, 'run'), { recursive: true });
    expect(await runs.list()).toEqual([]);
  });
});
