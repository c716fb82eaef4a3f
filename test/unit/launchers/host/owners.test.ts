/** Whom sweeps look at, and how often. */

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createLocalHost } from '../../../../launchers/host/local-host.ts';
import { createOwners, type Found, type Owners } from '../../../../launchers/host/owners.ts';
import { ForbiddenError, UnavailableError } from '../../../../src/errors.ts';
import { silentLog } from '../../../support/silent-log.ts';
import { makeTestDirectory, type TestDirectory } from '../../../support/test-directory.ts';

const signal = new AbortController().signal;
const nothing: Found = { removed: [], isLeft: false };
const something: Found = { removed: [], isLeft: true };

describe('owners', () => {
  let directory: TestDirectory;
  let letGo: string[];

  beforeEach(async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    directory = await makeTestDirectory('owners');
    letGo = [];
  });

  afterEach(async () => {
    vi.useRealTimers();
    await directory[Symbol.asyncDispose]();
  });

  /** As another process has them. */
  const open = (): Owners =>
    createOwners({
      host: createLocalHost({ scratchRoots: [] }),
      directory: `${directory.path}/owners`,
      letGo: async (owner) => void letGo.push(owner),
      log: silentLog,
    });
  const look = async (owners: Owners, owner: string, found: Found) =>
    await owners.look(owner, signal, async () => found);
  const pass = (ms: number) => vi.setSystemTime(Date.now() + ms);

  it('are looked at by every sweep while anything is left, and then once an hour', async () => {
    const owners = open();
    await owners.note('alice');
    for (const found of [something, something, nothing]) {
      expect(await owners.due()).toEqual(['alice']);
      await look(owners, 'alice', found);
    }
    expect(await owners.due()).toEqual([]);
    pass(3_600_000);
    expect(await owners.due()).toEqual(['alice']);
    await look(owners, 'alice', nothing);
    owners.expect('alice');
    expect(await owners.due()).toEqual(['alice']);
  });

  it('are looked at again where something begins during a look', async () => {
    const owners = open();
    await owners.note('alice');
    await owners.look('alice', signal, async () => {
      await owners.note('alice');
      return nothing;
    });
    expect(await owners.due()).toEqual(['alice']);
  });

  it('are found by another process, and let go of where it was connected for the look alone', async () => {
    await open().note('alice');
    const other = open();
    expect(await other.due()).toEqual(['alice']);
    await look(other, 'alice', nothing);
    expect(letGo).toEqual(['alice']);
    other.expect('alice');
    await look(other, 'alice', nothing);
    pass(3_600_000);
    await look(other, 'alice', something);
    expect(letGo).toEqual(['alice']);
  });

  it('are looked at a few at a time where nothing is known of them, those who wait longest first', async () => {
    const names = Array.from({ length: 25 }, (_, index) => `u${String(index).padStart(2, '0')}`);
    const first = open();
    for (const name of names) await first.note(name);
    const other = open();
    const seen: string[] = [];
    for (const _ of [1, 2, 3]) {
      const due = await other.due();
      expect(due.length).toBeLessThanOrEqual(10);
      for (const owner of due) seen.push(owner, ...(await look(other, owner, nothing)).map(String));
    }
    expect(seen).toEqual(names);
  });

  it.each([
    ['who cannot be reached are tried again by the next sweep', new UnavailableError('host.unavailable', 'away'), 0],
    ['who have left are tried again in an hour', new ForbiddenError('host.denied', 'no such user'), 3_600_000],
  ])('%s', async (_, thrown, afterMs) => {
    const owners = open();
    await owners.note('alice');
    expect(await owners.look('alice', signal, () => Promise.reject(thrown))).toEqual([]);
    expect(await owners.due()).toEqual(afterMs === 0 ? ['alice'] : []);
    pass(afterMs);
    expect(await owners.due()).toEqual(['alice']);
  });
});
