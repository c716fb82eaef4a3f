import { dirname, resolve, sep } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { blobFolder, blobPath, randomBlobName } from '../../../src/storage/blob-name.ts';

const dir = '/data/blobs';

describe('names of blobs', () => {
  it.each([
    '',
    '.',
    '..',
    '../x',
    'a/b',
    '/etc/passwd',
    'a\0',
    'a\nb',
    '.hidden',
    '-x',
    'ü',
    'a b',
    'a\\b',
    'x'.repeat(201),
  ])('refuses %j', (name) => {
    expect(() => blobPath(dir, name)).toThrow(/^Blob ".*" cannot be: a name has/);
  });

  it('never leave the folder they are given, whatever they say', () => {
    const names = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom('.', '/', 'a', '\0', '\\') }),
    );
    fc.assert(
      fc.property(names, (name) => {
        let path: string;
        try {
          path = blobPath(dir, name);
        } catch {
          return;
        }
        expect(resolve(path)).toBe(path);
        expect(dirname(path)).toBe(blobFolder(dir, name));
        expect(path.startsWith(dir + sep)).toBe(true);
      }),
    );
  });

  it('are spread over 256 folders', () => {
    const folders = new Set(Array.from({ length: 4096 }, () => blobFolder(dir, randomBlobName())));
    expect(folders.size).toBeGreaterThan(240);
    for (const folder of folders) expect(folder).toMatch(/^\/data\/blobs\/[0-9a-f]{2}$/);
  });
});
