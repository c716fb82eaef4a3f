import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { maskUrl } from '../../../src/config/secrets.ts';

const noise = fc.string({ unit: fc.constantFrom(...'abc0 :/?#@&=%;\n\u0000é€'.split('')), maxLength: 20 });

describe('maskUrl', () => {
  it.each([
    ['redis://:pw@h:6379/0', 'redis://:********@h:6379/0'],
    ['rediss://user:pw@h', 'rediss://user:********@h'],
    ['mongodb://u:p@a:1,b:2/db?replicaSet=x', 'mongodb://u:********@a:1,b:2/db?replicaSet=x'],
    ['mongodb://a:1,b:2/db', 'mongodb://a:1,b:2/db'],
    ['mongodb+srv://user@h/db', 'mongodb+srv://user@h/db'],
    ['redis://h:6379/0?password=pw&x=1', 'redis://h:6379/0?password=********&x=1'],
    ['https://h/path', 'https://h/path'],
    ['no url: a@b', 'no url: a@b'],
  ])('shows %j as %j', (url, shown) => {
    expect(maskUrl(url)).toBe(shown);
  });

  it('shows nothing of any password, however badly escaped', () => {
    fc.assert(
      fc.property(noise, fc.constantFrom('', 'user'), (around, user) => {
        const shown = maskUrl(`redis://${user}:${around}geheim${around}@host:6379/0`);
        expect(shown).toBe(`redis://${user}:********@host:6379/0`);
      }),
    );
  });
});
