import { mkdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createHostLedger } from '../../../launchers/host/host-ledger.ts';
import { createLocalHost } from '../../../launchers/host/local-host.ts';
import { renderMockRecord } from '../../../launchers/mock/mock-record.ts';
import { createLedger, type Ledger } from '../../../src/launcher/ledger.ts';
import { makeTestDirectory, type TestDirectory } from '../../support/test-directory.ts';

const ref = { executionId: 'e1', attempt: 1 };
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
    await ledger.sweep(new Date());
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

  it('sweeps what nothing may start any more, and nothing else', async () => {
    const old = { executionId: 'old', attempt: 1 };
    await ledger.open(old, new Date(Date.now() - 2 * 3_600_000));
    await ledger.open(ref, later);
    await ledger.sweep(new Date());
    await expect(stat(ledger.entryPath(old))).rejects.toMatchObject({ code: 'ENOENT' });
    expect((await stat(ledger.entryPath(ref))).isDirectory()).toBe(true);
  });

  it.each([
    ['of this machine', createLedger],
    ['of a host', (path: string) => createHostLedger(createLocalHost({ scratchRoots: [directory.path] }), path)],
  ])('is looked through once an hour, however often it is swept: %s', async (_, create) => {
    const ledgerOfIts = create(join(directory.path, 'its'));
    const old = { executionId: 'old', attempt: 1 };
    const now = Date.now();
    await ledgerOfIts.sweep(new Date(now));
    await ledgerOfIts.open(old, new Date(now - 2 * 3_600_000));
    await ledgerOfIts.sweep(new Date(now + 3_599_000));
    expect((await stat(ledgerOfIts.entryPath(old))).isDirectory()).toBe(true);
    await ledgerOfIts.sweep(new Date(now + 3_600_000));
    await expect(stat(ledgerOfIts.entryPath(old))).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
