import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openResultFile } from '../../../src/client/result-file.ts';
import { makeTestDirectory } from '../../support/test-directory.ts';

async function* resultsOf(...texts: readonly string[]): AsyncIterable<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}

describe('openResultFile', () => {
  it('puts results behind each other, in place of what was there until then', async () => {
    await using directory = await makeTestDirectory('results');
    const path = join(directory.path, 'out');
    writeFileSync(path, 'what an earlier run gave');
    await using file = await openResultFile(path);
    expect(readFileSync(path, 'utf8')).toBe('what an earlier run gave');
    expect(await file.save(resultsOf('one', 'two'))).toBe(`2 results written to ${path}`);
    expect(readFileSync(path, 'utf8')).toBe('onetwo');
  });

  it('refuses a name that cannot be written before it is asked to save', async () => {
    await expect(openResultFile('/no/such/file')).rejects.toThrow(/^File "\/no\/such\/file" cannot be written: ENOENT/);
  });

  it('says what is full, and takes nothing after that', async () => {
    let taken = 0;
    const results = async function* () {
      for (taken = 1; ; taken += 1) yield Buffer.from('x');
    };
    await using file = await openResultFile('/dev/full');
    await expect(file.save(results())).rejects.toThrow('File "/dev/full" cannot be written: ENOSPC');
    expect(taken).toBe(1);
  });
});
