import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { editDistance, nearestKey } from '../../../src/config/nearest-key.ts';

describe('editDistance', () => {
  it.each([
    ['port', 'port', 0],
    ['prot', 'port', 1],
    ['por', 'port', 1],
    ['ports', 'port', 1],
    ['pork', 'port', 1],
    ['', 'port', 4],
  ])('of %j and %j is %d', (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance);
  });

  it('is symmetric, zero for equals only, and no more than the longer text', () => {
    const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 8 });
    fc.assert(
      fc.property(word, word, (a, b) => {
        const distance = editDistance(a, b);
        expect(distance).toBe(editDistance(b, a));
        expect(distance === 0).toBe(a === b);
        expect(distance).toBeLessThanOrEqual(Math.max(a.length, b.length));
      }),
    );
  });
});

describe('nearestKey', () => {
  const known = ['service', 'service.port', 'service.host', 'limits.memory', 'redis.url', 'history.url'];

  it.each([
    ['service.prot', 'service.port'],
    ['servcie', 'service'],
    ['service.memory', 'limits.memory'],
    ['port', 'service.port'],
    ['history.ulr', 'history.url'],
    ['redis.ulr', 'redis.url'],
  ])('of %j is %j', (path, nearest) => {
    expect(nearestKey(path, known)).toBe(nearest);
  });

  it('is nothing where nothing is known', () => {
    expect(nearestKey('anything', [])).toBeUndefined();
  });
});
