import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readSealKey, seal, unseal } from '../../../src/lib/seal.ts';

const key = randomBytes(32);

describe('a sealed text', () => {
  it('comes back whole, and is another one each time', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.array(fc.string()), (text, place) => {
        const sealed = seal(key, place, text);
        expect(unseal(key, place, sealed)).toBe(text);
        expect(seal(key, place, text)).not.toBe(sealed);
      }),
    );
  });

  it('does not open with another key, at another place, or changed anywhere', () => {
    const sealed = seal(key, ['TENANT', 'name'], 'secret');
    expect(unseal(randomBytes(32), ['TENANT', 'name'], sealed)).toBeUndefined();
    expect(unseal(key, ['OTHER', 'name'], sealed)).toBeUndefined();
    expect(unseal(key, ['TENANT', 'other'], sealed)).toBeUndefined();
    const bytes = Buffer.from(sealed, 'base64');
    for (let index = 0; index < bytes.length; index += 1) {
      const changed = Buffer.from(bytes);
      changed[index] = (changed[index] ?? 0) ^ 1;
      expect(unseal(key, ['TENANT', 'name'], changed.toString('base64'))).toBeUndefined();
    }
  });

  it('never throws, whatever is given', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(unseal(key, [], text)).toBeUndefined();
      }),
    );
  });
});

describe('a file with a key', () => {
  it('holds 32 bytes, as they are or in base64', () => {
    expect(readSealKey(key)).toEqual(key);
    expect(readSealKey(Buffer.from(`${key.toString('base64')}\n`))).toEqual(key);
    expect(readSealKey(randomBytes(31))).toBeUndefined();
    expect(readSealKey(Buffer.from('not a key'))).toBeUndefined();
  });
});
