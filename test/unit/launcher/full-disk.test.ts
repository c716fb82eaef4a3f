/** What is said of an attempt where the disk that its ledger entry is on is full. */

import fileSystem from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createLedger } from '../../../src/launcher/ledger.ts';
import { makeTestDirectory } from '../../support/test-directory.ts';

const ref = { executionId: 'e1', attempt: 1 };

/** For all who have imported it. */
function refuse(verb: 'mkdir' | 'writeFile' | 'symlink', code: string): void {
  vi.spyOn(fileSystem, verb).mockRejectedValue(Object.assign(new Error(`${code}: no room`), { code }));
  syncBuiltinESMExports();
}

function refuseNothing(): void {
  vi.restoreAllMocks();
  syncBuiltinESMExports();
}

describe('a ledger whose disk is full', () => {
  afterEach(refuseNothing);

  it.each([
    ['mkdir', 'ENOSPC'],
    ['writeFile', 'EDQUOT'],
    ['symlink', 'ENOSPC'],
  ] as const)('closes the attempt once there is room again: %s fails with %s', async (verb, code) => {
    await using directory = await makeTestDirectory('full-disk');
    const ledger = createLedger(join(directory.path, 'ledger'));
    refuse(verb, code);
    const waits = { code: 'launcher.disk_full', retryable: true };
    if (verb !== 'symlink') await expect(ledger.open(ref, new Date())).rejects.toMatchObject(waits);
    await expect(ledger.close(ref, 'cancelled')).rejects.toMatchObject(waits);
    if (verb === 'writeFile') await expect(ledger.noteCancel(ref)).rejects.toMatchObject(waits);
    refuseNothing();
    expect(await ledger.close(ref, 'cancelled')).toBe('closed');
  });
});
