import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { shellLine, shellQuote } from '../../../src/lib/shell.ts';

/** What a real shell makes of the line. */
function wordsOf(words: readonly string[]): readonly string[] {
  const script = `show() { for word; do printf '%s\\0' "$word"; done; }; show ${shellLine(words)}`;
  return execFileSync('/bin/sh', ['-c', script], { encoding: 'utf8' }).split('\0').slice(0, -1);
}

describe('shellQuote', () => {
  it('gives any text to the program as it is', () => {
    const word = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 40 }),
      fc.string({ unit: fc.constantFrom(...Array.from('\'"\\$`!*?~#&;|<>(){}[]= \t\n-a%')), maxLength: 12 }),
    );
    const plain = word.map((text) => text.replaceAll('\0', '').toWellFormed());
    fc.assert(
      fc.property(fc.array(plain, { maxLength: 25 }), (words) => {
        expect(wordsOf(words)).toEqual(words);
      }),
      { numRuns: 60 },
    );
  });

  it.each([
    ['plain-1.2/x:y@z', 'plain-1.2/x:y@z'],
    ['', "''"],
    ['two words', "'two words'"],
    ["it's", String.raw`'it'\''s'`],
    // As the first word of a line it would be an assignment.
    ['A=b', "'A=b'"],
    ['~root', "'~root'"],
  ])('writes %j as %s', (text, quoted) => {
    expect(shellQuote(text)).toBe(quoted);
  });

  it('refuses what no word can hold', () => {
    expect(() => shellQuote('a\0b')).toThrow(RangeError);
  });
});
