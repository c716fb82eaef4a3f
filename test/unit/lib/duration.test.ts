import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDuration, renderDuration } from '../../../src/lib/duration.ts';

describe('parseDuration', () => {
  it.each([
    ['0s', 0],
    ['500ms', 500],
    ['30s', 30_000],
    ['1h30m', 5_400_000],
    ['1h 30m', 5_400_000],
    ['14 d', 1_209_600_000],
    ['1.5s', 1_500],
    ['1.005s', 1_005],
    ['1.000000000s', 1_000],
  ])('reads %j as %d ms', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  it.each([
    '',
    '30',
    's',
    '30 seconds',
    '-1s',
    '1m1h',
    '1s1s',
    '0.5ms',
    '1.s',
    '5 0s',
    '1e3s',
    '1h,30m',
    '99999999999999999d',
  ])('refuses %j', (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });

  it('reads what renderDuration wrote', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (ms) => {
        expect(parseDuration(renderDuration(ms))).toBe(ms);
      }),
    );
  });

  it('takes any text without throwing', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'0123456789dhms. -e\u0000é'.split('')) }), (text) => {
        const ms = parseDuration(text);
        expect(ms === undefined || Number.isSafeInteger(ms)).toBe(true);
      }),
    );
  });
});

describe('renderDuration', () => {
  it('uses the largest units first', () => {
    expect(renderDuration(90_061_001)).toBe('1d1h1m1s1ms');
  });
});
