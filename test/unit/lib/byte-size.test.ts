import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseByteSize, renderByteSize } from '../../../src/lib/byte-size.ts';

describe('parseByteSize', () => {
  it.each([
    ['0 B', 0],
    ['1 MiB', 1_048_576],
    ['128KiB', 131_072],
    ['128kib', 131_072],
    ['500 MB', 500_000_000],
    ['1.5 GiB', 1_610_612_736],
    ['2 TB', 2_000_000_000_000],
  ])('reads %j as %d bytes', (text, bytes) => {
    expect(parseByteSize(text)).toBe(bytes);
  });

  it.each(['', '12', '1g', '1 m', '-1 MiB', '0.3 KiB', '1.5 B', '1 PiB', 'MiB', '1,5 MiB', '99999999 TiB'])(
    'refuses %j',
    (text) => {
      expect(parseByteSize(text)).toBeUndefined();
    },
  );

  it('reads what renderByteSize wrote', () => {
    const sizes = fc.oneof(
      fc.maxSafeNat(),
      fc.tuple(fc.nat(8_000), fc.constantFrom(1, 1e3, 1e6, 1024, 1024 ** 2, 1024 ** 4)).map(([n, unit]) => n * unit),
    );
    fc.assert(
      fc.property(sizes, (bytes) => {
        expect(parseByteSize(renderByteSize(bytes))).toBe(bytes);
      }),
    );
  });
});

describe('renderByteSize', () => {
  it.each([
    [0, '0 B'],
    [131_067, '131067 B'],
    [1_048_576, '1 MiB'],
    [500_000_000, '500 MB'],
  ])('writes %d as %j', (bytes, text) => {
    expect(renderByteSize(bytes)).toBe(text);
  });
});
