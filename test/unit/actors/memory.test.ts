import { describe, expect, it } from 'vitest';
import { parseMemory } from '../../../src/actors/memory.ts';
import { InvalidError } from '../../../src/errors.ts';

describe('parseMemory', () => {
  it.each([
    ['512m', 512 * 1024 ** 2],
    ['1g', 1024 ** 3],
    ['1G', 1024 ** 3],
    ['1.5gb', 1.5 * 1024 ** 3],
    ['8192k', 8192 * 1024],
    ['16777216', 16_777_216],
  ])('reads %s as %i bytes', (text, bytes) => {
    expect(parseMemory(text)).toBe(bytes);
  });

  it('takes -1 for no limit', () => {
    expect(parseMemory('-1')).toBeUndefined();
  });

  it.each(['', 'much', '1t', '-2', '1m', '1e9', 'g'])('refuses "%s" with what would be right', (text) => {
    expect(() => parseMemory(text)).toThrow(InvalidError);
  });
});
