import { access, mkdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createHostLedger } from '../../../launchers/host/host-ledger.ts';
import { createLocalHost } from '../../../launchers/host/local-host.ts';
import { renderMockRecord } from '../../../launchers/mock/mock-record.ts';
import type { AttemptRef } from '../../../src/launcher/launcher.ts';
import { createLedger, type Ledger, sweepEveryMs } from '../../../src/launcher/ledger.ts';
import { makeTestDirectory, type TestDirectory } from '../../support/test-directory.ts';

const ref = { executionId: 'e1', attempt: 1 };
const nobodyLives = async (found: readonly AttemptRef[]) => found;
const later = new Date(Date.now() + 86_400_000);
const record = {
  reason: 'exited',
  exitCode: 3,
  startedMs: 1,
  finishedMs: 2,
  logBytes: 0,
  logTotalBytes: 0,
  results: 0,
  droppedResults: 0,
  detail: '',
} as const;

describe('the ledger', () => {
  let directory: TestDirectory;
  let ledger: Ledger;
  const entry = (name: string) => join(ledger.entryPath(ref), name);

  beforeEach(async () => {
    directory = await makeTestDirectory('ledger');
    ledger = createLedger(join(directory.path, 'ledger'));
  });
  afterEach(() => directory[Symbol.asyncDispose]());

  it('lets the helper of any user write its entry, and nobody else in', async () => {
    await ledger.open(ref, later);
    expect((await stat(ledger.entryPath(ref))).mode & 0o777).toBe(0o777);
    expect((await stat(join(ledger.entryPath(ref), '..'))).mode & 0o777).toBe(0o700);
  });

  it('keeps an entry that is opened again', async () => {
    await ledger.open(ref, later);
    await symlink('me', entry('start'));
    await ledger.open(ref, new Date(0));
    await ledger.sweep(new Date(), nobodyLives);
    expect(await ledger.readMarker(ref)).toEqual({ kind: 'started', owner: 'me' });
  });

  it('closes what has not started, also what was never opened, and says so again', async () => {
    expect(await ledger.readMarker(ref)).toEqual({ kind: 'free' });
    expect(await ledger.close(ref, 'cancelled')).toBe('closed');
    expect(await ledger.close(ref, 'lost')).toBe('closed');
    expect(await ledger.readMarker(ref)).toEqual({ kind: 'closed', reason: 'cancelled' });
  });

  it('cannot close what has started', async () => {
    await ledger.open(ref, later);
    await symlink('me', entry('start'));
    expect(await ledger.close(ref, 'lost')).toBe('started');
    expect(await ledger.wasCancelled(ref)).toBe(false);
    await ledger.noteCancel(ref);
    expect(await ledger.wasCancelled(ref)).toBe(true);
  });

  it('gives the end record of the owner of the marker and of nobody else', async () => {
    await ledger.open(ref, later);
    await writeFile(entry('end'), renderMockRecord({ owner: 'other', ...record }));
    expect(await ledger.readEnd(ref)).toBeUndefined();
    await symlink('me', entry('start'));
    expect(await ledger.readEnd(ref)).toBeUndefined();
    await writeFile(entry('end'), renderMockRecord({ owner: 'me', ...record }));
    expect(await ledger.readEnd(ref)).toMatchObject({ owner: 'me', exitCode: 3 });
  });

  it('reads neither links nor directories nor half a record in the place of an end record', async () => {
    await ledger.open(ref, later);
    await symlink('me', entry('start'));
    await writeFile(join(directory.path, 'elsewhere'), renderMockRecord({ owner: 'me', ...record }));
    await symlink(join(directory.path, 'elsewhere'), entry('end'));
    expect(await ledger.readEnd(ref)).toBeUndefined();
    await rm(entry('end'));
    await mkdir(entry('end'));
    expect(await ledger.readEnd(ref)).toBeUndefined();
    await rm(entry('end'), { recursive: true });
    await writeFile(entry('end'), 'version 1\nowner me\nreason exited\n');
    expect(await ledger.readEnd(ref)).toBeUndefined();
  });

  it('takes what is no link in the place of the marker for a start', async () => {
    await ledger.open(ref, later);
    await writeFile(entry('start'), '');
    expect(await ledger.readMarker(ref)).toMatchObject({ kind: 'started' });
  });

  describe.each([
    ['of this machine', createLedger],
    ['of a host', (path: string) => createHostLedger(createLocalHost({ scratchRoots: [directory.path] }), path)],
  ])('%s', (_, create) => {
    const old = { executionId: 'old', attempt: 1 };
    const overSince = (now: number) => new Date(now - 2 * 3_600_000);

    async function keeps(swept: Ledger, { executionId }: { readonly executionId: string }): Promise<boolean> {
      return await access(swept.entryPath({ executionId, attempt: 1 })).then(
        () => true,
        () => false,
      );
    }

    it('sweeps what nothing may start any more, and nothing else', async () => {
      const swept = create(join(directory.path, 'its'));
      await swept.open(old, overSince(Date.now()));
      await swept.open(ref, later);
      await swept.sweep(new Date(), nobodyLives);
      expect([await keeps(swept, old), await keeps(swept, ref)]).toEqual([false, true]);
    });

    it('keeps what has been started in time for as long as its attempt lives', async () => {
      const swept = create(join(directory.path, 'its'));
      const now = Date.now();
      await swept.open(old, overSince(now));
      await swept.open({ executionId: 'other', attempt: 1 }, overSince(now));
      await symlink('me', join(swept.entryPath(old), 'start'));
      await swept.sweep(new Date(now), async (found) => found.filter(({ executionId }) => executionId !== 'old'));
      expect(await swept.readMarker(old)).toEqual({ kind: 'started', owner: 'me' });
      expect(await keeps(swept, { executionId: 'other' })).toBe(false);
      await swept.sweep(new Date(now + sweepEveryMs), nobodyLives);
      expect(await keeps(swept, old)).toBe(false);
    });

    it('asks who lives once it knows what is over, and of nothing else', async () => {
      const swept = create(join(directory.path, 'its'));
      await swept.open(old, overSince(Date.now()));
      await swept.open(ref, later);
      const asked: string[] = [];
      await swept.sweep(new Date(), async (found) => {
        asked.push(...found.map(({ executionId }) => executionId));
        // Whatever came after the look is younger than what is known of who lives.
        await swept.open({ executionId: 'young', attempt: 1 }, overSince(Date.now()));
        return found;
      });
      expect(asked).toEqual(['old']);
      expect(await keeps(swept, { executionId: 'young' })).toBe(true);
    });

    it('is looked through once an hour, however often it is swept', async () => {
      const swept = create(join(directory.path, 'its'));
      const now = Date.now();
      await swept.sweep(new Date(now), nobodyLives);
      await swept.open(old, overSince(now));
      await swept.sweep(new Date(now + sweepEveryMs - 1_000), nobodyLives);
      expect(await keeps(swept, old)).toBe(true);
      await swept.sweep(new Date(now + sweepEveryMs), nobodyLives);
      expect(await keeps(swept, old)).toBe(false);
    });
  });
});
