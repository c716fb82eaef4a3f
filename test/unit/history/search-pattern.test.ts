import { describe, expect, it } from 'vitest';
import { compilePattern } from '../../../src/history/search-pattern.ts';

const many = (unit: string, length: number): string => unit.repeat(Math.floor(length / unit.length));

describe('compilePattern', () => {
  it.each([
    ['(a+)+$', 'aaa', true],
    ['^(a+)+$', 'aaa!', false],
    ['^(a|a)*$', `${'a'.repeat(900)}!`, false],
    ['(?i)^HELLO', 'hello world', true],
    ['^[0-9a-f]{64}$', 'ab'.repeat(32), true],
    [String.raw`^\d{4}-\d{2}-\d{2}T`, '2027-01-31T06', true],
    [String.raw`a.{0,99}b`, `a${'x'.repeat(99)}b`, true],
    ['x'.repeat(500), 'x'.repeat(500), true],
    [many('.*', 500), 'anything', true],
    ['b', `${'a'.repeat(1_000)}b`, false],
  ])('finds %.40s in %.20s as it should', (pattern, text, found) => {
    expect(compilePattern(pattern)(text)).toBe(found);
  });

  it.each([
    ['x'.repeat(501), 'longer than 500 characters'],
    ['a{101}', 'repeats more than 100 times'],
    ['(a{11}){10}', 'repeats more than 100 times'],
    // Each of these held the process for more than three seconds a text.
    [`(?:${many('a?', 484)}){100}[!-#]`, 'repeats too much'],
    [`(?:${many('.?', 484)}){100}[!-#]`, 'repeats too much'],
    [`(?:${many(String.raw`\pL?`, 484)}){100}[!-#]`, 'repeats too much'],
    [`(?:${many('(a|b|c|.)?', 484)}){100}[!-#]`, 'repeats too much'],
    // Short enough to be made, and too large then.
    [`(?:${many('.?', 60)}){100}[!-#]`, 'repeats too much'],
    ['(', 'missing closing'],
    [String.raw`(a)\1`, 'invalid escape'],
    ['(?=a)', 'Regular expression'],
  ])('refuses %.40s', (pattern, reason) => {
    expect(() => compilePattern(pattern)).toThrow(reason);
  });
});
