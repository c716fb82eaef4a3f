import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { characterEnd } from '../../../src/api/utf8.ts';

describe('characterEnd', () => {
  it('leaves off a character that is not complete, and nothing else', () => {
    const smile = Buffer.from('a😀');
    expect([5, 4, 3, 2, 1, 0].map((length) => characterEnd(smile.subarray(0, length)))).toEqual([5, 1, 1, 1, 1, 0]);
  });

  it('takes bytes that are no text as they are', () => {
    expect(characterEnd(Buffer.from([0x80, 0x80, 0x80, 0x80]))).toBe(4);
    expect(characterEnd(Buffer.from([0x61, 0x80]))).toBe(2);
  });

  it('splits any text into pieces that join to the same text, wherever it was cut', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.nat(), (text, cut) => {
        const bytes = Buffer.from(text);
        const end = characterEnd(bytes.subarray(0, cut % (bytes.length + 1)));
        expect(bytes.subarray(0, end).toString() + bytes.subarray(end).toString()).toBe(bytes.toString());
      }),
    );
  });
});
