import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type HeldLock, takeLock } from '../../../../launchers/apptainer/sif-lock.ts';
import { createLocalHost } from '../../../../launchers/host/local-host.ts';
import { silentLog } from '../../../support/silent-log.ts';
import { makeTestDirectory } from '../../../support/test-directory.ts';

const signal = new AbortController().signal;
const nothing = async (): Promise<undefined> => undefined;

async function start(deadAfterMs: number) {
  const directory = await makeTestDirectory('sif-lock');
  const host = createLocalHost({ scratchRoots: [directory.path] });
  const base = join(directory.path, 'sha256-0');
  return { directory, host, base, parts: { host, base, log: silentLog, signal, deadAfterMs } };
}

function held(taken: HeldLock | { readonly value: unknown }): HeldLock {
  if ('value' in taken) throw new Error('There is nothing to wait for');
  return taken;
}

describe('the lock of a build', () => {
  afterEach(() => void vi.restoreAllMocks());

  it('is one builder after the other, also where they find a dead one', async () => {
    const { directory, host, base, parts } = await start(200);
    await using _ = directory;
    await symlink('dead', `${base}.lock`);
    let building = 0;
    let most = 0;
    let built = 0;
    const builders = Array.from({ length: 4 }, async () => {
      await using lock = held(await takeLock(parts, nothing, () => undefined));
      building += 1;
      most = Math.max(most, building);
      expect(await lock.isHeld()).toBe(true);
      built += 1;
      building -= 1;
    });
    await Promise.all(builders);
    expect([most, built]).toEqual([1, 4]);
    expect(await host.list(directory.path)).toEqual([]);
  }, 20_000);

  it('tells those who wait what its holder says, and lets them go when there is nothing to wait for', async () => {
    const { directory, parts } = await start(60_000);
    await using _ = directory;
    await using lock = held(await takeLock(parts, nothing, () => undefined));
    lock.say({ since: 'now', line: 'half way' });
    const told: string[] = [];
    const isOver = async (token: string): Promise<string | undefined> => (told.length > 0 ? token : undefined);
    const outcome = await takeLock(parts, isOver, ({ since }) => void told.push(since));
    expect(outcome).toEqual({ value: lock.token });
    expect(told[0]).toMatch(/^20\d\d-|^now$/);
  }, 20_000);

  it('is known to be lost by a holder that was taken for dead', async () => {
    const { directory, host, base, parts } = await start(60_000);
    await using _ = directory;
    const lock = held(await takeLock(parts, nothing, () => undefined));
    await host.removeTree(`${base}.lock`);
    await symlink('another', `${base}.lock`);
    expect(await lock.isHeld()).toBe(false);
    await lock[Symbol.asyncDispose]();
    expect(await host.readLinks([`${base}.lock`])).toEqual(['another']);
  });

  it('stays with a holder that lives, also where the clock of whoever waits is set on', async () => {
    const { directory, host, base, parts } = await start(60_000);
    await using _ = directory;
    await using lock = held(await takeLock(parts, nothing, () => undefined));
    let looks = 0;
    const before = Date.now();
    vi.spyOn(Date, 'now').mockImplementation(() => before + looks * 120_000);
    const isOver = async (): Promise<true | undefined> => ((looks += 1) === 3 ? true : undefined);
    expect(await takeLock(parts, isOver, () => undefined)).toEqual({ value: true });
    expect(await host.readLinks([`${base}.lock`])).toEqual([lock.token]);
  }, 20_000);
});
