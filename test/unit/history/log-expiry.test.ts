import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { logExpiresAt } from '../../../src/history/log-expiry.ts';

const written = new Date('2026-01-02T03:04:05.678Z');
const ages = { defaultSeconds: 43_200, limitSeconds: 86_400 };

function ageSeconds(logEx: number | null, limits = ages): number | 'never' {
  const expiresAt = logExpiresAt(written, logEx, limits);
  return expiresAt === undefined ? 'never' : (expiresAt.getTime() - written.getTime()) / 1000;
}

describe('the age at which a log expires', () => {
  it.each([
    ['the default where the actor names none', null, ages, 43_200],
    ["the actor's own", 60, ages, 60],
    ["the limit where the actor's is higher", 100_000, ages, 86_400],
    ['the limit where the actor asks for never', -1, ages, 86_400],
    ['the limit where the actor asks for zero, which is never', 0, ages, 86_400],
    ["the actor's own where there is no limit", 100_000, { ...ages, limitSeconds: -1 }, 100_000],
    ['never where the actor asks for it and there is no limit', -1, { ...ages, limitSeconds: 0 }, 'never'],
    ['never where that is the default, whatever the limit', null, { ...ages, defaultSeconds: -1 }, 'never'],
    ['never where zero is the default', null, { ...ages, defaultSeconds: 0 }, 'never'],
    ['the default, also above the limit', null, { defaultSeconds: 90_000, limitSeconds: 86_400 }, 90_000],
    ['never where no date is that late', 1e15, { ...ages, limitSeconds: -1 }, 'never'],
  ] as const)('is %s', (_, logEx, limits, expected) => {
    expect(ageSeconds(logEx, limits)).toBe(expected);
  });

  it('is never above the limit, whatever the actor asks for', () => {
    const limit = fc.integer({ min: 1, max: 1e9 });
    fc.assert(
      fc.property(fc.integer(), limit, (logEx, limitSeconds) => {
        const age = ageSeconds(logEx, { defaultSeconds: -1, limitSeconds });
        expect(age).toBeGreaterThan(0);
        expect(age).toBeLessThanOrEqual(limitSeconds);
      }),
    );
  });
});
