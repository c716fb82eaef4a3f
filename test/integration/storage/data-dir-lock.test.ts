import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { lockDataDir } from '../../../src/storage/data-dir-lock.ts';
import { packageRoot } from '../../support/package-root.ts';
import type { TakeAnswer, TakeOrder } from '../../support/take-data-dir.ts';
import { makeTestDirectory } from '../../support/test-directory.ts';

describe('the lock of a data directory', () => {
  it('is held by one, and free for the next after its release', async () => {
    await using directory = await makeTestDirectory('lock');
    const lock = lockDataDir(directory.path);
    expect(() => lockDataDir(directory.path)).toThrow(
      expect.objectContaining({
        code: 'service.locked',
        message: expect.stringContaining(`"${directory.path}" is held by another process: stop that one`),
      }),
    );
    lock.release();
    lockDataDir(directory.path).release();
    expect(await readdir(directory.path)).toEqual(['lock.sqlite']);
  });

  it('goes on being held after others were refused', async () => {
    await using directory = await makeTestDirectory('lock');
    await using other = await startTaker();
    const lock = lockDataDir(directory.path);
    expect(() => lockDataDir(directory.path)).toThrow('is held by another process');
    expect(await other.take(directory.path, Date.now(), 1)).toEqual({ held: 0, codes: ['service.locked'] });
    lock.release();
    expect(await other.take(directory.path, Date.now(), 1)).toEqual({ held: 1, codes: [] });
  });

  it('is held by exactly one of all that take it at once, each time its holder was killed', async () => {
    await using directory = await makeTestDirectory('lock');
    const takers = await Promise.all(Array.from({ length: 4 }, startTaker));
    try {
      for (let round = 0; round < 30; round += 1) {
        const atMs = Date.now() + 15;
        const answers = await Promise.all(takers.map(async (taker) => await taker.take(directory.path, atMs, 3)));
        const held = answers.map((answer) => answer.held);
        expect({ round, held: held.toSorted((a, b) => a - b) }).toEqual({ round, held: [0, 0, 0, 1] });
        expect(new Set(answers.flatMap(({ codes }) => codes))).toEqual(new Set(['service.locked']));
        const [holder] = takers.splice(held.indexOf(1), 1, await startTaker());
        if (holder) await end(holder);
      }
    } finally {
      await Promise.all(takers.map(end));
    }
  }, 60_000);
});

interface Taker extends AsyncDisposable {
  take(dataDir: string, atMs: number, calls: number): Promise<TakeAnswer>;
}

const end = async (taker: Taker): Promise<void> => await taker[Symbol.asyncDispose]();

async function startTaker(): Promise<Taker> {
  const child = fork(join(packageRoot, 'test/support/take-data-dir.ts'));
  await once(child, 'message');
  return {
    async take(dataDir, atMs, calls) {
      const answer = once(child, 'message') as Promise<[TakeAnswer]>;
      child.send({ dataDir, atMs, calls } satisfies TakeOrder);
      return (await answer)[0];
    },
    [Symbol.asyncDispose]: async () => {
      const exit = once(child, 'exit');
      child.kill('SIGKILL');
      await exit;
    },
  };
}
