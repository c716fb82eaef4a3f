import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { elementSources, memberSources } from '../../../src/api/json-members.ts';

describe('memberSources', () => {
  it('gives each member as it was written', () => {
    const json = ' { "a" : 1.0 , "b":{"2":1,"1":[2]}, "c": 12345678901234567890, "d": "x, \\"y\\" }" } ';
    expect([...memberSources(json)]).toEqual([
      ['a', '1.0'],
      ['b', '{"2":1,"1":[2]}'],
      ['c', '12345678901234567890'],
      ['d', '"x, \\"y\\" }"'],
    ]);
  });

  it('takes the last of a repeated key, and reads escapes in keys', () => {
    expect(memberSources('{"a":1,"\\u0061":2}').get('a')).toBe('2');
  });

  it('finds nothing in an empty object', () => {
    expect(memberSources('{}').size).toBe(0);
  });

  it('agrees with parsing, for any object and any white space', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.constantFrom(0, 1, 4), (value, indent) => {
        const text = JSON.stringify(value, undefined, indent);
        const parsed = JSON.parse(text) as Record<string, unknown>;
        const sources = memberSources(text);
        expect([...sources.keys()].sort()).toEqual(Object.keys(parsed).sort());
        for (const [key, source] of sources) expect(JSON.parse(source)).toEqual(parsed[key]);
      }),
    );
  });
});

describe('elementSources', () => {
  it('gives each element as it was written', () => {
    const json = ' [ 1.0 , {"2":[1, 2]} , "a, ]" , [] ] ';
    expect(elementSources(json)).toEqual(['1.0', '{"2":[1, 2]}', '"a, ]"', '[]']);
    expect(elementSources('[ ]')).toEqual([]);
  });

  it('agrees with parsing, for any list and any white space', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), fc.constantFrom(0, 1, 4), (value, indent) => {
        const text = JSON.stringify(value, undefined, indent);
        expect(elementSources(text).map((source) => JSON.parse(source) as unknown)).toEqual(JSON.parse(text));
      }),
    );
  });
});
