import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { renderSortedJson } from '../../../src/api/sorted-json.ts';

describe('renderSortedJson', () => {
  it('sorts keys at every depth as text, also those that look like numbers', () => {
    expect(renderSortedJson({ b: [{ z: 1, a: 2 }], a: { 10: 1, 9: 2, b: 3 } })).toBe(
      '{"a":{"10":1,"9":2,"b":3},"b":[{"a":2,"z":1}]}',
    );
  });

  it('leaves out what is undefined in objects and writes null for it in lists', () => {
    expect(renderSortedJson({ a: undefined, b: [undefined, null] })).toBe('{"b":[null,null]}');
    expect(renderSortedJson(undefined)).toBe('null');
  });

  it('reads back as what was written, whatever it is', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
        expect(JSON.parse(renderSortedJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it('is the same text whatever order the keys came in', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
        const text = renderSortedJson(value);
        expect(renderSortedJson(JSON.parse(text))).toBe(text);
        expect(renderSortedJson(reversed(value))).toBe(text);
      }),
    );
  });
});

/** A copy whose objects have their keys the other way round, but for those that look like numbers. */
function reversed(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(reversed);
  const entries = Object.entries(value).map(([name, member]) => [name, reversed(member)]);
  return Object.fromEntries(entries.toReversed());
}
